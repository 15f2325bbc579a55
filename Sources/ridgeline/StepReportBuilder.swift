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

  /// One row for all members at work and one without each; columns in Documentation/columns.md.
  func memberships() throws -> ResultTable {
    guard placement.stages.count > 1 else {
      throw UsageError("--members: the plan has no stages on several places, so there is no member to lose")
    }
    var table = ResultTable(columns: [
      Column("lost"), Column("step_s", heading: "step", style: .time), Column("tokens_per_s", style: .rate),
      Column("layers"), Column("loaded_b", heading: "loaded", style: .size),
      Column("loading_s", heading: "loading", style: .time), Column("reloaded_b", heading: "reloaded", style: .size),
      Column("reloading_s", heading: "reloading", style: .time), Column("reason"),
    ])
    let tokens = Double(request.prefill == nil ? request.sequences : shape.prefillTokens)
    for row in placement.memberships(shape) {
      let layers = row.layers.map { "\($0.place) \($0.count)" }.joined(separator: ", ")
      table.append([
        .text(row.lost ?? "nobody"), Cell(row.time), Cell(row.time.map { tokens / $0.value }), .text(layers),
        Cell(row.loaded), Cell(row.loading), Cell(row.reloaded), Cell(row.reloading), Cell(row.reason),
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
    for (component, energy) in zip(schedule.graph.components, schedule.energyByComponent) where energy > .zero {
      table.append([.text(component.name), Cell(energy), Cell(energy / schedule.time)])
    }
    return table
  }

  // MARK: Text

  var text: String {
    var text = title + "\n\n"
    text += "  step time        \(schedule.time), \(rate) tokens/s\n"
    text += heat
    text +=
      "  energy           \(schedule.energy), mean \(schedule.energy / schedule.time), peak \(schedule.peakPower)\n"
    text += "  main memory      \(placement.mainMemory(during: shape)) while the step runs\n\n"
    text += TableRenderer.rows(resources) + "\n" + advice + launches + "\n"
    text += TableRenderer.rows(memories) + "\n" + TableRenderer.rows(energies)
    return text
  }

  /// When clocks fall if such steps follow one another, and what a step then takes on average.
  private var heat: String {
    guard let limit = deployment.thermal, let hot = deployment.throttled?.price(shape) else { return "" }
    let account = HeatAccount(limit)
    let full = HeatAccount.Work(time: schedule.time, energy: mainEnergy)
    guard let left = account.timeLeft(at: full.power) else {
      return "  heat             \(full.power) of \(limit.sustained) that the case gets rid of: clocks stay\n"
    }
    let slow = HeatAccount.Work(time: hot.time, energy: hot.energy * (mainEnergy.value / schedule.energy.value))
    let lasting = account.lasting(full, slow: slow)
    return
      "  heat             \(full.power) where the case gets rid of \(limit.sustained): clocks fall after \(left), and "
      + "a step then takes \(lasting.time)\n"
  }

  /// Energy of one of the main devices.
  private var mainEnergy: Joules {
    let name = placement.machine.places[placement.machine.main].name
    for (component, energy) in zip(schedule.graph.components, schedule.energyByComponent) where component.name == name {
      return energy * (1 / Double(max(1, deployment.parallelism.tensor)))
    }
    return schedule.energy
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

  /// Whether the host or the devices set the pace, and from which batch on the devices do.
  private var launches: String {
    guard placement.stages.count == 1, let balance = deployment.launchBalance(shape) else { return "" }
    let text =
      "Launches: \(balance.launches) in \(balance.launching) beside \(balance.device) of the devices' work; "
    let batch = deployment.deviceBoundBatch { sequences in
      var own = request
      own.sequences = sequences
      return own.shape(deployment.graph.spans)
    }
    return text + (batch.map { "the devices set the pace from batch \($0) on.\n" } ?? "the host does at any batch.\n")
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
