import CostModels
import Documents
import Execution
import Quantities
import Reporting
import Store
import Studies

/// An answer of sizing in words and rows.
struct SizeText {
  typealias Column = ResultTable.Column
  typealias Cell = ResultTable.Cell
  let answer: SizeAnswer
  let site: GridSite
  private let library: Library

  init(_ answer: SizeAnswer, _ site: GridSite, _ library: Library) {
    self.answer = answer
    self.site = site
    self.library = library
  }

  var text: String {
    let demand = answer.demand
    func number(_ value: Double) -> String { roundedText(value, significantDigits: 4) }
    var text =
      "traffic     \(number(demand.rate)) requests/s, \(number(demand.meanInput)) tokens in and \(number(demand.meanOutput)) out on average\n"
      + "objectives  \(answer.request.objectives.text)\n"
      + "searched    \(groupedDigits(answer.candidates)) candidates in closed form, \(answer.replays) replays by the serving engine\n"
      + "site        \(site.title)\n\n"
    for model in answer.request.models.map(\.text) {
      text += section(model, answer.outcomes.filter { $0.model == model })
    }
    return text
  }

  private func section(_ model: String, _ outcomes: [SizeOutcome]) -> String {
    var text = "\(model)\n\n"
    if outcomes.contains(where: { $0.best != nil }) { text += TableRenderer.rows(rows(outcomes)) + "\n" }
    for outcome in outcomes where outcome.best == nil {
      text += "\(outcome.hardware): none; \(Self.obstacle(outcome))\n"
    }
    guard let best = outcomes.first?.best else { return text + "\n" }
    return text + words(best) + "\n" + launch(best) + "\n"
  }

  static func obstacle(_ outcome: SizeOutcome) -> String {
    guard let obstacle = outcome.obstacle else { return "no candidate fits" }
    guard obstacle.excess.isFinite else { return obstacle.text }
    return "\(obstacle.text), missed by \(Cell.number(obstacle.excess).text(style: .percent)) at best"
  }

  func rows(_ outcomes: [SizeOutcome]) -> ResultTable {
    var table = ResultTable(columns: [
      Column("hardware"), Column("plan"), Column("limit", heading: "batch limit"),
      Column("replicas", heading: "replicas, 90 %"),
      Column("devices"), Column("usd_per_h", heading: "an hour", style: .money),
      Column("usd", heading: "1M output tokens", style: .money), Column("power", heading: "power", style: .power),
      Column("kg", heading: "kgCO2e/h"), Column("ttft", heading: "P99 TTFT", style: .time),
      Column("tpot", heading: "P99 TPOT", style: .time), Column("headroom", style: .percent),
    ])
    for best in outcomes.compactMap(\.best) {
      let range = best.replicaRange
      table.append([
        .text(best.candidate.hardware), .text(plan(best)), .int(best.candidate.batchLimit),
        .text("\(range.lowerBound) to \(range.upperBound)"), .int(best.devices), Cell(best.hourly),
        Cell(best.perMillionOutput), Cell(best.trial.power), .number(carbonPerHour(best)),
        Cell(best.trial.summary[.ttftP99]),
        Cell(best.trial.summary[.tpotP99]), .number(best.headroom),
      ])
    }
    return table
  }

  func plan(_ best: SizedDeployment) -> String {
    var candidate = best.candidate
    candidate.replicas = best.trial.replicas
    candidate.prefillReplicas = best.trial.prefillReplicas
    return candidate.plan
  }

  private func kilowattHours(_ best: SizedDeployment) -> Double { site.kilowattHours(best.trial.power * Seconds(3600)) }

  func carbonPerHour(_ best: SizedDeployment) -> Double { kilowattHours(best) * site.meanCarbon / 1000 }

  // MARK: Words

  /// The cheapest, what binds it, and how it stands strain.
  func words(_ best: SizedDeployment) -> String {
    let hourly = best.hourly.map { Cell.number($0).text(style: .money) + " an hour" } ?? "an unknown price"
    var text =
      "Cheapest: \(plan(best)) on \(best.candidate.hardware), \(best.devices) \(best.devices == 1 ? "device" : "devices") in "
      + "\(best.nodes) \(best.nodes == 1 ? "node" : "nodes"), \(hourly)."
    if let price = best.perMillionOutput, let all = best.perMillionTokens {
      text +=
        " A million output tokens cost \(Cell.number(price).text(style: .money)) (\(Cell.number(all).text(style: .money)) with prompts counted)."
    }
    if let binding = best.trial.binding {
      text +=
        " \(binding.objective.metric.rawValue) binds: at \(Cell.number(binding.load).text(style: .percent)) of its limit."
    }
    text +=
      " It draws \(best.trial.power) (\(roundedText(kilowattHours(best) * 24, significantDigits: 3)) kWh a day with a PUE of \(site.pue), "
      + "\(roundedText(carbonPerHour(best) * 24, significantDigits: 3)) kgCO2e)."
    text += " Headroom: the load may grow by \(Cell.number(best.headroom).text(style: .percent))."
    if let twice = best.doubleLoad { text += " At twice the load: \(outcome(twice))." }
    return text + " " + nodeDown(best) + interval(best) + "\n"
  }

  private func nodeDown(_ best: SizedDeployment) -> String {
    guard best.nodes > 1 else { return "It is one node: without it nothing is served." }
    let loss = best.nodeLoss
    let kind =
      loss.prefillReplicas > 0 ? "that take prompts" : best.candidate.prefillParallelism == nil ? "" : "that answer"
    let lost = max(loss.replicas, loss.prefillReplicas)
    let all = loss.prefillReplicas > 0 ? best.trial.prefillReplicas : best.trial.replicas
    let what = "With one node down, and with it \(lost) of \(all) replicas\(kind.isEmpty ? "" : " " + kind)"
    return loss.left.map { "\(what): \(outcome($0))." } ?? "\(what), nothing is served."
  }

  private func interval(_ best: SizedDeployment) -> String {
    guard let level = best.level else { return "" }
    let range = best.replicaRange
    let money = best.perMillionOutput.map { price in
      let prices = best.interval(of: price)
      return ", \(Cell.number(prices.lowerBound).text(style: .money)) to "
        + "\(Cell.number(prices.upperBound).text(style: .money)) for a million output tokens"
    }
    return " \(Cell.number(level).text(style: .percent)) of measurements lie within the interval that asks for "
      + "\(range.lowerBound) to \(range.upperBound) replicas\(money ?? "")."
  }

  private func outcome(_ trial: SizeTrial) -> String {
    if trial.isSaturated { return "requests pile up without bound" }
    let reached = trial.reached.map {
      "\($0.objective.metric.rawValue) \($0.value.isFinite ? Seconds($0.value).description : "without end")"
    }
    .joined(separator: ", ")
    return (trial.meets ? "objectives are still met" : "objectives are missed") + " (\(reached))"
  }

  private func launch(_ best: SizedDeployment) -> String {
    launchLines(best).map { line in
      "  \(line.runtime): \(line.command)\n" + (line.needs.map { "    (needs \($0))\n" } ?? "")
    }.joined()
  }

  func launchLines(_ best: SizedDeployment) -> [LaunchLines.Line] {
    let file = try? library.models.find(best.candidate.model)
    let checkpoint = file?.aliases.first { $0.contains("/") } ?? best.candidate.model
    let limit = best.deployment.model.contextLimit ?? answer.demand.longest
    return LaunchLines(
      checkpoint: checkpoint, best.deployment, sequences: best.candidate.batchLimit,
      length: min(limit, answer.demand.longest)
    ).all
  }

  // MARK: Rows for machines

  var table: ResultTable {
    var table = ResultTable(
      columns: [
        "model", "hardware", "layout", "tp", "pp", "ep", "prefill_tp", "prefill_pp", "prefill_ep", "weights_format",
        "kv_format", "max_num_seqs", "replicas", "replicas_low", "replicas_high", "prefill_replicas", "devices",
        "nodes",
        "usd_per_h", "usd_per_million_output_tokens", "usd_per_million_output_tokens_low",
        "usd_per_million_output_tokens_high", "usd_per_million_tokens", "power_w", "kwh_per_day", "kgco2e_per_day",
        "energy_per_output_token_j", "ttft_p99_s", "tpot_p99_s", "e2e_p99_s", "headroom", "meets_at_double_load",
        "meets_with_node_down", "obstacle", "obstacle_excess",
      ].map { Column($0) })
    for outcome in answer.outcomes {
      guard let best = outcome.best else {
        let excess = outcome.obstacle.flatMap { $0.excess.isFinite ? $0.excess : nil }
        table.append(
          [.text(outcome.model), .text(outcome.hardware)] + [Cell](repeating: .missing, count: table.columns.count - 4)
            + [.text(outcome.obstacle?.text ?? "no candidate fits"), Cell(excess)])
        continue
      }
      table.append(cells(best))
    }
    return table
  }

  private func cells(_ best: SizedDeployment) -> [Cell] {
    let candidate = best.candidate
    func yes(_ trial: SizeTrial?) -> Cell { .text(trial?.meets == true ? "yes" : "no") }
    let formats = best.deployment.plan.formats
    let (own, prompts) = (candidate.parallelism, candidate.prefillParallelism)
    let prices = best.perMillionOutput.map { best.interval(of: $0) }
    return [
      .text(candidate.model), .text(candidate.hardware), .text(candidate.layout.rawValue), .int(own.tensor),
      .int(own.pipeline), .int(own.expert), Cell(prompts?.tensor), Cell(prompts?.pipeline), Cell(prompts?.expert),
      .text(formats.weights.rawValue), .text(formats.kv.rawValue),
      .int(candidate.batchLimit), .int(best.trial.replicas), .int(best.replicaRange.lowerBound),
      .int(best.replicaRange.upperBound), .int(best.trial.prefillReplicas), .int(best.devices), .int(best.nodes),
      Cell(best.hourly), Cell(best.perMillionOutput), Cell(prices?.lowerBound), Cell(prices?.upperBound),
      Cell(best.perMillionTokens), Cell(best.trial.power), .number(kilowattHours(best) * 24),
      .number(carbonPerHour(best) * 24), Cell(best.energyPerOutputToken),
      Cell(best.trial.summary[.ttftP99]), Cell(best.trial.summary[.tpotP99]), Cell(best.trial.summary[.endToEndP99]),
      .number(best.headroom), yes(best.doubleLoad), yes(best.nodeLoss.left), .missing, .missing,
    ]
  }

  /// The answer for one hardware as a stored run.
  func record(_ outcome: SizeOutcome, _ best: SizedDeployment, _ recorder: RunRecorder) -> RunRecord {
    let numbers = zip(table.columns, cells(best)).compactMap { column, cell -> StoredMetric? in
      switch cell {
      case .number(let value): StoredMetric(column.name, value)
      case .int(let value): StoredMetric(column.name, Double(value))
      default: nil
      }
    }
    let batch = BatchCase(
      sequences: max(1, min(best.candidate.batchLimit, 64)), inputTokens: max(1, Int(answer.demand.meanInput)),
      outputTokens: max(2, Int(answer.demand.meanOutput)))
    return recorder.decision(
      "size", name: "\(outcome.model) on \(outcome.hardware)", headline: words(best), best.deployment, batch, numbers)
  }
}
