import CostModels
import Execution
import ModelGraph
import Quantities

/// What a static batch costs in energy, and by which knobs it can be made to cost less.
package struct EnergyStudy: Sendable {
  package let deployment: Deployment
  package let batch: BatchCase
  /// What must be kept while energy is saved; nothing is asked for where absent.
  package var mostTimePerToken: Seconds?
  package var mostFirstToken: Seconds?

  package init(_ deployment: Deployment, _ batch: BatchCase) {
    self.deployment = deployment
    self.batch = batch
  }

  /// One setting of a knob.
  package struct Point: Sendable {
    /// Share of the highest clock.
    package var clock: Double
    /// Of each device; nothing where none is set.
    package var cap: Watts?
    package var tensor: Int
    package var sequences: Int
    package var firstToken: Seconds
    package var perToken: Seconds
    package var energyPerToken: Joules
    /// Mean of all devices.
    package var power: Watts
    package var tokensPerSecond: Double
    package var meets: Bool
  }

  // MARK: Parts

  /// Energy of the whole batch by where it goes, prompts and answers apart.
  package func parts() -> (prompts: EnergyParts, answers: EnergyParts)? {
    let predictor = Predictor(deployment)
    guard let prediction = try? predictor.predict(batch) else { return nil }
    let prompt = EnergyParts(deployment, predictor.firstPrefillStep(batch))
    let whole = prediction.energy
    guard let step = predictor.middleDecodeStep(batch), let perToken = prediction.tpot else {
      return (prompt * (whole / prompt.total), EnergyParts())
    }
    let answer = EnergyParts(deployment, step)
    let steps = perToken * Double(batch.outputTokens - 1) / deployment.price(step).time
    let answers = answer * min(steps, whole / answer.total)
    // Prompts take what answers leave.
    return (prompt * (max(.zero, whole - answers.total) / prompt.total), answers)
  }

  // MARK: Over time

  /// A stretch of the batch with the power that all devices draw in it.
  package struct Stretch: Sendable {
    package enum Phase: String, Sendable { case prompts, answers }

    package var phase: Phase
    package var from: Seconds
    package var to: Seconds
    package var power: Watts
  }

  /// Power from the first prompt to the last token: prompts as a whole, answers as their context grows.
  package func powerOverTime() -> [Stretch] {
    let predictor = Predictor(deployment)
    guard let prediction = try? predictor.predict(batch) else { return [] }
    let prompts = Stretch(
      phase: .prompts, from: .zero, to: prediction.ttft, power: power(of: predictor.firstPrefillStep(batch)))
    guard prediction.tpot != nil else { return [prompts] }
    let pieces = min(8, batch.outputTokens - 1)
    let each = (prediction.endToEnd - prediction.ttft) / Double(pieces)
    return [prompts]
      + (0..<pieces).compactMap { index in
        var part = batch
        // The middle step of a batch that has got so far.
        part.inputTokens += (batch.outputTokens - 1) * index / pieces
        part.outputTokens = max(2, (batch.outputTokens - 1) / pieces + 1)
        let from = prediction.ttft + each * Double(index)
        return predictor.middleDecodeStep(part).map {
          Stretch(phase: .answers, from: from, to: from + each, power: power(of: $0))
        }
      }
  }

  private func power(of step: StepShape) -> Watts {
    let price = deployment.steadyPrice(step)
    return price.energy / price.time
  }

  // MARK: Knobs

  static let clockSteps = 24

  /// Energy by core clock, from the lowest to the highest.
  package func clocks() -> [Point] {
    let low = deployment.lowestClock
    return (0...Self.clockSteps).compactMap { index in
      point(clock: low + (1 - low) * Double(index) / Double(Self.clockSteps))
    }
  }

  /// Energy by power cap: the highest clock at which neither prompts nor answers draw more.
  package func caps() -> [Point] {
    let limits = deployment.platform.device.power
    let least = limits.capMinimum ?? max(limits.idle * 1.2, limits.cap * 0.3)
    return (0...12).compactMap { index in
      let cap = least + (limits.cap - least) * (Double(index) / 12)
      var point = point(clock: clock(under: cap))
      point?.cap = cap
      return point
    }
  }

  /// The highest clock whose prefill and decode steps stay under a cap; the lowest where none does.
  private func clock(under cap: Watts) -> Double {
    let predictor = Predictor(deployment)
    let steps = [predictor.firstPrefillStep(batch), predictor.middleDecodeStep(batch)].compactMap { $0 }
    let devices = Double(deployment.parallelism.tensor * deployment.parallelism.data)
    func fits(_ clock: Double) -> Bool {
      let clocked = deployment.clocked(clock)
      return steps.allSatisfy { step in
        let price = clocked.price(step)
        return price.energy / price.time <= cap * devices
      }
    }
    guard !fits(1) else { return 1 }
    var (low, high) = (deployment.lowestClock, 1.0)
    guard fits(low) else { return low }
    for _ in 0..<20 {
      let middle = (low + high) / 2
      if fits(middle) { low = middle } else { high = middle }
    }
    return low
  }

  /// Energy by tensor parallelism and batch, at the highest clock.
  /// - Parameter make: The deployment at a degree; nothing where there is none.
  package func knobs(tensors: [Int], sequences: [Int], make: (Int) -> Deployment?) -> [Point] {
    tensors.flatMap { tensor -> [Point] in
      guard let deployment = make(tensor) else { return [] }
      return sequences.compactMap { count in
        var study = EnergyStudy(
          deployment, BatchCase(sequences: count, inputTokens: batch.inputTokens, outputTokens: batch.outputTokens))
        (study.mostFirstToken, study.mostTimePerToken) = (mostFirstToken, mostTimePerToken)
        return study.point(clock: 1)
      }
    }
  }

  /// - Returns: Nothing where the batch does not fit.
  package func point(clock: Double) -> Point? {
    let clocked = deployment.clocked(clock)
    guard let prediction = try? Predictor(clocked).predict(batch) else { return nil }
    let tokens = Double(batch.sequences * batch.outputTokens)
    let perToken = prediction.tpot ?? prediction.endToEnd
    return Point(
      clock: clock, cap: nil, tensor: deployment.parallelism.tensor, sequences: batch.sequences,
      firstToken: prediction.ttft, perToken: perToken, energyPerToken: prediction.energy / tokens,
      power: prediction.power, tokensPerSecond: prediction.outputRate,
      meets: perToken <= mostTimePerToken ?? perToken && prediction.ttft <= mostFirstToken ?? prediction.ttft)
  }

  /// The setting with the least energy for a token under what must be kept; nothing where none keeps it.
  package static func knee(_ points: [Point]) -> Point? {
    points.filter(\.meets).min { $0.energyPerToken < $1.energyPerToken }
  }
}
