import Execution
import ModelGraph
import Quantities
import Reporting

/// What 'ridgeline step' tells of one step.
struct StepReportBuilder {
  typealias Column = ResultTable.Column
  typealias Cell = ResultTable.Cell

  /// The step that was asked for.
  struct Request {
    var sequences: Int
    var context: Int
    var prefill: Int?

    /// A batch that has this step in it, for the search of a plan.
    var batch: BatchCase {
      BatchCase(sequences: sequences, inputTokens: prefill ?? max(1, context - 1), outputTokens: prefill == nil ? 2 : 1)
    }

    func shape(_ spans: AttentionSpans) -> StepShape {
      guard let prefill else { return StepShape.decode(sequences: sequences, context: context, spans: spans) }
      return StepShape.prefill(sequences: sequences, tokens: prefill, start: context, spans: spans)
    }
  }

  let deployment: Deployment
  let placement: Placement
  let request: Request
  let shape: StepShape
  let schedule: Schedule
  let elasticities: [Elasticity]

  init(_ deployment: Deployment, _ request: Request, withElasticities: Bool) throws {
    guard let placement = deployment.placement else { throw UsageError("the step has no plan") }
    self.deployment = deployment
    self.placement = placement
    self.request = request
    var shape = request.shape(deployment.graph.spans)
    if request.prefill != nil, request.context > 0 {
      // A context before the prompt is cache from earlier steps.
      shape = StepShape.prefill(
        sequences: request.sequences, tokens: request.prefill ?? 1, start: request.context,
        spans: deployment.graph.spans)
    }
    self.shape = shape
    schedule = placement.schedule(shape)
    elasticities = withElasticities ? try placement.elasticities(shape) : []
  }

  var title: String {
    let what =
      request.prefill.map { "prompts of \($0) tokens" }
      ?? "decode at \(groupedDigits(request.context)) tokens of context"
    return "\(deployment.model.name) on \(placement.machine.name), plan \(placement.plan.name): "
      + "\(request.sequences) x \(what)"
  }

  // MARK: Tables

  /// One row a resource that was used; columns in Documentation/columns.md.
  var resources: ResultTable {
    var table = ResultTable(columns: [
      Column("resource"), Column("kind"), Column("busy_s", heading: "busy", style: .time),
      Column("exposed_s", heading: "exposed", style: .time),
      Column("overlapped_s", heading: "overlapped", style: .time),
      Column("moved_b", heading: "moved", style: .size), Column("utilisation", style: .percent),
    ])
    for usage in schedule.usage where usage.busy > .zero {
      table.append([
        .text(usage.name), .text(usage.kind.rawValue), Cell(usage.busy), Cell(usage.exposed), Cell(usage.overlapped),
        Cell(usage.moved), Cell(usage.utilisation),
      ])
    }
    return table
  }

  private var memories: ResultTable {
    var table = ResultTable(columns: [
      Column("place"), Column("usable", style: .size), Column("weights", style: .size), Column("experts", style: .size),
      Column("activations", style: .size), Column("buffers", style: .size), Column("room", style: .size),
    ])
    for row in placement.memory.rows {
      table.append([
        .text(row.place), Cell(row.usable), Cell(row.weights), Cell(row.experts), Cell(row.activations),
        Cell(row.buffers), Cell(row.room),
      ])
    }
    return table
  }

  private var energies: ResultTable {
    var table = ResultTable(columns: [
      Column("component"), Column("energy", style: .energy), Column("power", style: .power),
    ])
    for (component, energy) in zip(schedule.graph.components, schedule.energyByComponent) {
      table.append([.text(component.name), Cell(energy), Cell(energy / schedule.time)])
    }
    return table
  }

  // MARK: Text

  var text: String {
    var text = title + "\n\n"
    text += "  step time        \(schedule.time), \(rate) tokens/s\n"
    text +=
      "  energy           \(schedule.energy), mean \(schedule.energy / schedule.time), peak \(schedule.peakPower)\n"
    text += "  main memory      \(placement.mainMemory(during: shape)) while the step runs\n\n"
    text += TableRenderer.rows(resources) + "\n" + advice + "\n"
    text += TableRenderer.rows(memories) + "\n" + TableRenderer.rows(energies)
    return text
  }

  private var rate: String {
    let tokens = request.prefill == nil ? request.sequences : shape.prefillTokens
    return ResultTable.Cell.number(Double(tokens) / schedule.time.value).text(style: .plain)
  }

  /// The critical path in words, and what to buy.
  private var advice: String {
    var text = "The step waits for: " + criticalShares.joined(separator: ", ") + ".\n"
    guard let best = elasticities.first, best.value > 0.005 else { return text }
    text +=
      "Buy more of: "
      + elasticities.prefix(3).filter { $0.value > 0.005 }.map { item in
        "\(item.name) (\(percent(item.value)) of a step for each 1 %)"
      }.joined(separator: ", ") + ".\n"
    return text
  }

  private var criticalShares: [String] {
    let used = schedule.usage.filter { $0.exposed > .zero }.sorted { $0.exposed > $1.exposed }
    return used.prefix(4).map { "\($0.name) \(percent100($0.exposed / schedule.time))" }
  }

  private func percent(_ value: Double) -> String {
    ResultTable.Cell.number(value).text(style: .plain) + " %"
  }

  private func percent100(_ share: Double) -> String { ResultTable.Cell.number(share).text(style: .percent) }
}
