import CostModels
import Documents
import Execution
import Quantities
import Reporting
import Techniques
import Workloads

/// What techniques, alone and in pairs, are worth on one's own platform.
package struct Advice: Sendable {
  /// What is asked: lengths of requests and the latencies that must be kept.
  package struct Question: Sendable {
    package var request: Library.Request
    package var inputTokens: Int
    package var outputTokens: Int
    package var objective: ServiceObjective
    package var ranking: Ranking

    package init(
      request: Library.Request, inputTokens: Int, outputTokens: Int, objective: ServiceObjective,
      ranking: Ranking = .rate
    ) {
      self.request = request
      self.inputTokens = inputTokens
      self.outputTokens = outputTokens
      self.objective = objective
      self.ranking = ranking
    }
  }

  /// What the best option has most, or least, of.
  package enum Ranking: String, CaseIterable, Sendable { case rate, energy, price }

  /// The best that a choice of techniques reaches within the objectives.
  package struct Option: Sendable {
    package var techniques: [String]
    package var batch: Int
    /// Answers a second, and tokens of the answers asked for: shorter answers count as whole ones.
    package var answerRate: Double
    package var tokenTime: Double
    package var firstToken: Double
    package var energyPerAnswer: Double
    package var pricePerThousand: Double?
    /// The factor within which a measurement is expected.
    package var factor: Double?
    /// The factor within which a measured gain is expected: errors that the plain deployment shares cancel.
    package var gainFactor: Double?
    fileprivate var shares: TimeShares

    /// What is ranked by; more is better.
    fileprivate func merit(_ ranking: Ranking) -> Double {
      switch ranking {
      case .rate: answerRate
      case .energy: -energyPerAnswer
      case .price: -(pricePerThousand ?? .infinity)
      }
    }
  }

  package let plain: Option
  /// Best first.
  package let options: [Option]
  /// Techniques that were tried and cannot be, with the reason.
  package let refused: [(technique: String, reason: String)]
  private let inputs: [String: String]

  /// - Throws: What the plain deployment throws, and `DataError` when it meets the objectives with no batch.
  package init(_ question: Question, library: Library) throws {
    var question = question
    question.request.techniques = []
    let base = try library.deployment(question.request)
    guard let plain = try Self.best(question, [], library) else {
      throw DataError(
        file: base.platform.name,
        problem:
          "cannot serve \(base.model.name) within the objectives with any batch, so there is nothing to gain from")
    }
    self.plain = plain
    let candidates = AdviceCandidates.all(for: base.model)
    inputs = Dictionary(candidates.map { ($0.text, $0.inputs) }, uniquingKeysWith: { first, _ in first })
    var found: [Option] = []
    var refused: [(technique: String, reason: String)] = []
    var usable: [String] = []
    for candidate in candidates {
      do {
        guard let option = try Self.best(question, [candidate.text], library) else {
          refused.append((candidate.text, "meets the objectives with no batch"))
          continue
        }
        found.append(option)
        usable.append(candidate.text)
      } catch let error as TechniqueError {
        refused.append((candidate.text, error.description))
      } catch let error as UnsupportedFormat {
        refused.append((candidate.text, error.description))
      }
    }
    for (index, first) in usable.enumerated() {
      for second in usable[(index + 1)...] {
        // Pairs that decide the same are refused before they are priced.
        if let option = try? Self.best(question, [first, second], library) { found.append(option) }
      }
    }
    options = found.map { $0.compared(with: plain) }.sorted {
      ($0.merit(question.ranking), $1.techniques.count) > ($1.merit(question.ranking), $0.techniques.count)
    }
    self.refused = refused
  }

  /// The batch with the highest rate that keeps the objectives; nothing when none does.
  private static func best(_ question: Question, _ techniques: [String], _ library: Library) throws -> Option? {
    var request = question.request
    request.techniques = try techniques.map(Techniques.parse)
    let deployment = try library.deployment(request)
    let predictor = Predictor(deployment)
    guard predictor.ledger.weightsFit else { return nil }
    func batch(_ sequences: Int) -> BatchCase {
      deployment.rewritten(
        BatchCase(sequences: sequences, inputTokens: question.inputTokens, outputTokens: question.outputTokens))
    }
    // A prompt that arrives alone is the first token's best case; a batch's own prefill would wait for all prompts.
    guard let alone = try? predictor.predict(batch(1)), question.objective.allows(first: alone.ttft) else { return nil }
    let most = min(predictor.ledger.largestBatch(batch(1)), deployment.runtime.maxSequences)
    var best: Option?
    for sequences in sizes(upTo: most) {
      guard let prediction = try? predictor.predict(batch(sequences)),
        question.objective.allows(next: prediction.tpot ?? .zero),
        question.objective.allows(all: prediction.endToEnd)
      else { continue }
      let rate = Double(sequences) / prediction.endToEnd.value
      guard rate > best?.answerRate ?? 0 else { continue }
      best = Option(
        techniques: techniques, batch: sequences, answerRate: rate, tokenTime: prediction.tpot?.value ?? 0,
        firstToken: alone.ttft.value, energyPerAnswer: prediction.energy.value / Double(sequences),
        pricePerThousand: deployment.price(of: prediction.endToEnd, for: batch(sequences)).map {
          $0.value / Double(sequences) * 1000
        },
        factor: deployment.intervalFactor(.endToEnd, for: batch(sequences)),
        shares: TimeShares(deployment, batch(sequences), prediction))
    }
    return best
  }

  /// Batches from 1 on, four to an octave, and the largest.
  private static func sizes(upTo most: Int) -> [Int] {
    guard most > 0 else { return [] }
    var sizes = [1]
    while let last = sizes.last, last < most { sizes.append(min(most, max(last + 1, last * 19 / 16))) }
    return sizes
  }

  // MARK: Tables

  /// One row an option, the plain deployment first.
  package func table(limit: Int = .max) -> ResultTable {
    typealias Column = ResultTable.Column
    typealias Cell = ResultTable.Cell
    var table = ResultTable(columns: [
      Column("rank"), Column("techniques"), Column("batch_size", heading: "batch"),
      Column("answers_per_s", heading: "answers", style: .rate),
      Column("answers_per_s_lo", heading: "low", style: .rate),
      Column("answers_per_s_hi", heading: "high", style: .rate), Column("gain", heading: "gain, x"),
      Column("gain_lo", heading: "low"), Column("gain_hi", heading: "high"),
      Column("tpot_s", heading: "TPOT", style: .time), Column("energy_per_answer_j", heading: "energy", style: .energy),
      Column("usd_per_thousand_answers", heading: "per 1000 answers", style: .money),
    ])
    for (rank, option) in ([plain] + options.prefix(limit)).enumerated() {
      table.append([
        .int(rank), .text(option.techniques.isEmpty ? "(none)" : option.techniques.joined(separator: " + ")),
        .int(option.batch), .number(option.answerRate), Cell(option.factor.map { option.answerRate / $0 }),
        Cell(option.factor.map { option.answerRate * $0 }), .number(option.answerRate / plain.answerRate),
        Cell(option.gainFactor.map { option.answerRate / plain.answerRate / $0 }),
        Cell(option.gainFactor.map { option.answerRate / plain.answerRate * $0 }),
        .number(option.tokenTime), .number(option.energyPerAnswer), Cell(option.pricePerThousand),
      ])
    }
    return table
  }

  /// What the literature reports of the techniques in the first options, and what to measure before trusting them.
  package func notes(limit: Int) -> [String] {
    var seen: Set<String> = []
    return options.prefix(limit).flatMap(\.techniques).filter { seen.insert($0).inserted }.map { text in
      let name = text.split(separator: ":").first.map(String.init) ?? text
      let type = Techniques.all.first { $0.description.name == name }
      var note = "\(text): \(inputs[text] ?? "-"). Quality: \(type?.quality ?? "-")."
      if let measure = type?.measureFirst { note += " Measure first: \(measure)." }
      return note
    }
  }
}

extension Advice.Option {
  /// With the interval of its gain over another.
  fileprivate func compared(with plain: Advice.Option) -> Advice.Option {
    var option = self
    guard let own = factor, let other = plain.factor else { return option }
    option.gainFactor = plain.shares.ratioError(to: shares, error: max(own, other))
    return option
  }
}

extension ServiceObjective {
  fileprivate func allows(first time: Seconds) -> Bool { timeToFirstToken.map { time <= $0 } ?? true }
  fileprivate func allows(next time: Seconds) -> Bool { timePerOutputToken.map { time <= $0 } ?? true }
  fileprivate func allows(all time: Seconds) -> Bool { endToEnd.map { time <= $0 } ?? true }
}
