import CostModels
import Documents
import Execution
import ModelGraph
import Quantities
import Reporting

/// A claim's plans side by side, and where their time goes.
package struct ClaimExplanation {
  typealias Column = ResultTable.Column
  typealias Cell = ResultTable.Cell
  private let scored: ScoredClaim
  private let evaluator: ClaimEvaluator

  package init(_ scored: ScoredClaim, _ evaluator: ClaimEvaluator) {
    self.scored = scored
    self.evaluator = evaluator
  }

  package func text() throws -> String {
    let claim = scored.claim
    var text = "\(claim.id): \(claim.system)\n\(scored.file.paper)\nsource: \(claim.source)\n"
    for assumption in scored.file.assumptions + claim.assumptions { text += "assumed: \(assumption.line)\n" }
    if let reason = claim.unpredicted { text += "not predicted: \(reason)\n" }
    if let miss = claim.miss { text += "on the miss: \(miss)\n" }
    for item in scored.figures { text += "\n" + (try figure(item)) }
    return text
  }

  private func figure(_ item: ScoredFigure) throws -> String {
    let figure = item.figure
    let predicted = item.predicted.map { ClaimReport.text($0, figure) } ?? item.reason ?? "cannot run"
    var text =
      "\(figure.label.isEmpty ? figure.metric.rawValue : figure.label): predicted \(predicted), published "
      + "\(ClaimReport.text(figure.published, figure)), \(item.verdict.rawValue)\n\n"
    text += TableRenderer.rows(try settings(figure)) + "\n"
    if let operators = try operators(figure) { text += TableRenderer.rows(operators) }
    return text
  }

  /// The settings of both plans, and their own values.
  private func settings(_ figure: Figure) throws -> ResultTable {
    let plans = [figure.plan] + (figure.baseline.map { [$0] } ?? [])
    var table = ResultTable(columns: [Column("setting")] + ["plan", "baseline"].prefix(plans.count).map { Column($0) })
    let keys = ClaimPlan.keys.filter { key in key != "like" && plans.contains { $0.optional(key) != nil } }
    for key in keys {
      table.append([.text(key)] + plans.map { Cell($0.optional(key).map(ClaimPlan.shown)) })
    }
    let variant = figure.variants.first
    let values = try plans.map { plan in
      try evaluator.value(figure.metric, of: variant.map { try plan.replacing($0) } ?? plan)
    }
    table.append(
      [.text(figure.metric.rawValue)] + values.map { .text(Cell.number($0).text(style: figure.metric.style)) })
    return table
  }

  /// What each replay came to.
  private func replays(_ plans: [ClaimPlan]) throws -> ResultTable {
    let runs = try plans.map(evaluator.replayed)
    var table = ResultTable(
      columns: [Column("of the replay")] + ["plan", "baseline"].prefix(runs.count).map { Column($0) })
    for metric in RunMetric.allCases where runs.contains(where: { $0[metric] != nil }) {
      table.append(
        [.text(metric.heading)]
          + runs.map { run in run[metric].map { .text(Cell.number($0).text(style: metric.style)) } ?? .missing })
    }
    return table
  }

  /// Time by operator of one representative step of each plan, or what the replays came to; nothing for what has no time.
  private func operators(_ figure: Figure) throws -> ResultTable? {
    let variant = figure.variants.first
    let plans = try ([figure.plan] + (figure.baseline.map { [$0] } ?? [])).map { plan in
      try variant.map { try plan.replacing($0) } ?? plan
    }
    guard figure.metric.replayed == nil else { return try replays(plans) }
    let steps = try plans.map { try times($0, figure.metric) }
    var table = ResultTable(
      columns: [Column("time of one step")]
        + ["plan", "baseline"].prefix(steps.count).map { Column($0, style: .time) })
    var names: [String] = []
    for name in steps.flatMap({ $0.map(\.name) }) where !names.contains(name) { names.append(name) }
    for name in names {
      table.append([.text(name)] + steps.map { step in Cell(step.first { $0.name == name }?.time) })
    }
    table.append([.text("all")] + steps.map { step in Cell(step.reduce(0) { $0 + $1.time }) })
    return table
  }

  private func times(_ plan: ClaimPlan, _ metric: ClaimMetric) throws -> [(name: String, time: Double)] {
    let deployment = try evaluator.deployment(plan)
    let shape: StepShape
    if plan.optional("kernel") != nil {
      shape = try KernelShape(plan.required("kernel")).step(deployment.graph.spans)
    } else if plan.optional("step") != nil {
      shape = try evaluator.shape(plan, deployment)
    } else if plan.optional("batch") != nil {
      let batch = try evaluator.batch(plan, deployment)
      let predictor = Predictor(deployment)
      let isPrompt = metric == .ttft || metric == .inputRate
      shape =
        isPrompt
        ? predictor.firstPrefillStep(batch)
        : predictor.middleDecodeStep(batch) ?? predictor.firstPrefillStep(batch)
    } else {
      return []
    }
    // A machine's operators run side by side and wait for copies: what binds, moment by moment, adds up to the step.
    if deployment.placement != nil {
      let price = deployment.price(shape)
      return Bound.allCases.map { ("bound by \($0.rawValue)", price.timeByBound[$0].value) }.filter { $0.1 > 0 }
    }
    let operators = deployment.pricedOperators(shape)
    let price = deployment.price(operators, shape)
    var times: [(name: String, time: Double)] = []
    for item in operators {
      if let index = times.firstIndex(where: { $0.name == item.work.name }) {
        times[index].time += item.totalTime.value
      } else {
        times.append((item.work.name, item.totalTime.value))
      }
    }
    return times + [("(host)", (price.time - price.deviceTime).value)]
  }
}
