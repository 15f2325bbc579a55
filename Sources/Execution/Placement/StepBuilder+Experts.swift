import CostModels
import ModelGraph
import Quantities

extension StepBuilder {
  /// A mixture some of whose experts live elsewhere: they come, or the tokens go to them.
  mutating func addExperts(_ operators: [Operator], layer: Int, _ part: Int, _ stage: PlacedStage) {
    guard let home = placement.expertsHome else { return }
    let missing = 1 - hitRate(layer: layer)
    let router = parts[part].last
    defer { parts[part].lastRouter = router }
    guard missing > 0 else { return run(operators, part, stage, layer: layer) }
    let split = ExpertSplit(
      operators, missing: missing, home: home, layer: layer, slices: graph.slices(of: parts[part].shape.tokens))
    if waitsForRouter { readRouter(part, stage) }
    switch plan.experts.fetch {
    case .there: computeThere(split, part, stage)
    case .cheaper:
      if isCheaperThere(split, stage) { computeThere(split, part, stage) } else { fetchNamed(split, part, stage) }
    case .all: fetchAll(split, part, stage)
    case .onDemand, .preGated, .predicted: fetchNamed(split, part, stage)
    }
  }

  /// Whether the host must know what the router has chosen; a layer before it, or all of them, need no such wait.
  private var waitsForRouter: Bool {
    switch plan.experts.fetch {
    case .onDemand, .there, .cheaper: true
    case .predicted: plan.experts.recall < 1
    case .all, .preGated: false
    }
  }

  /// A mixture's operators and what is missing of its experts.
  struct ExpertSplit {
    var operators: [Operator]
    /// Share of visits whose expert is not on the stage's place.
    var missing: Double
    var home: Int
    var layer: Int
    /// Times that weights are read because a prompt passes in slices; they come once.
    var slices: Int

    init(_ operators: [Operator], missing: Double, home: Int, layer: Int, slices: Int) {
      self.slices = slices
      self.operators = operators
      self.missing = missing
      self.home = home
      self.layer = layer
    }

    /// Weights of the experts that the step visits, one device.
    var visited: Bytes { operators.sum { $0.traffic.weights } * (1 / Double(slices)) }

    /// Products and what stands between them; dealing out and gathering stay where the layer is.
    var products: [Operator] { operators.filter { $0.name.hasPrefix("expert_") } }
  }

  private func hitRate(layer: Int) -> Double {
    if let given = plan.experts.hitRate { return given }
    guard let experts = graph.model.expertCount else { return 1 }
    let store = ExpertStore(
      popularity: ExpertStore.popularity(experts: experts, routing: graph.plan.routing), policy: plan.experts.store)
    return store.hitRate(
      resident: placement.memory.residentExperts, layer: layer, of: graph.model.decoder.layerCount)
  }

  // MARK: Experts come

  /// Those that a guess or the layer before named come early; the rest when the router has spoken.
  private mutating func fetchNamed(_ split: ExpertSplit, _ part: Int, _ stage: PlacedStage) {
    let missed = split.visited * (split.missing * units(of: stage))
    let experts = plan.experts
    let recall: Double
    switch experts.fetch {
    case .preGated: recall = 1
    case .predicted: recall = experts.recall
    default: recall = 0
    }
    let router = parts[part].last
    var waits: [Int] = []
    if recall > 0 {
      let early = missed * (recall + experts.overFetch)
      // The first mixture of a step has nobody before it to name its experts.
      let named = parts[part].lastRouter ?? (experts.fetch == .preGated ? parts[part].last : nil)
      waits.append(fetchExperts(early, split, stage, after: [named].compactMap { $0 }))
    }
    if recall < 1 {
      waits.append(fetchExperts(missed * (1 - recall), split, stage, after: [router].compactMap { $0 }))
    }
    runExperts(split, part, stage, after: waits)
  }

  /// Every expert of the layer, whatever the router says: fetched while the layer before is computed.
  private mutating func fetchAll(_ split: ExpertSplit, _ part: Int, _ stage: PlacedStage) {
    let all = layerBytes(split) * ((1 - placement.memory.residentExperts) * units(of: stage))
    let wait = buffers.wait("experts", buffers: 2)
    let fetch = fetchExperts(all, split, stage, after: [wait].compactMap { $0 })
    runExperts(split, part, stage, after: [fetch])
    if let last = parts[part].last { buffers.release("experts", after: last) }
  }

  /// Weights of all experts of the layer, one device.
  private func layerBytes(_ split: ExpertSplit) -> Bytes {
    split.operators.sum { work in
      guard case .expertGEMM(let shape) = work.kind else { return .zero }
      return graph.plan.formats.experts.size(
        of: Double(shape.columns) * Double(shape.inner) * Double(graph.model.expertCount ?? 0)
          / Double(graph.plan.parallelism.expert))
    }
  }

  private mutating func fetchExperts(
    _ bytes: Bytes, _ split: ExpertSplit, _ stage: PlacedStage, after: [Int]
  ) -> Int {
    send(
      Load(
        name: "fetch experts", layer: split.layer, category: .expertCopy, bytes: bytes, from: split.home,
        to: stage.place, engine: site(stage.place).copyIn),
      after: after)
  }

  private mutating func runExperts(_ split: ExpertSplit, _ part: Int, _ stage: PlacedStage, after waits: [Int]) {
    for work in split.operators {
      let isFirstProduct = work.name.hasPrefix("expert_") && !work.name.hasSuffix("activation")
      let task = operation(
        work, on: stage.place, layer: split.layer,
        after: [parts[part].last].compactMap { $0 } + (isFirstProduct ? waits : []))
      parts[part].last = tasks.add(task)
      noteLaunches(work.allLaunches, part)
    }
  }

  // MARK: Tokens go

  /// Visits to experts that are elsewhere are computed there, beside those that are here.
  private mutating func computeThere(_ split: ExpertSplit, _ part: Int, _ stage: PlacedStage) {
    let before = parts[part].last
    let away = split.products.map { $0.share(split.missing) }
    let message = messageBytes(split) * units(of: stage)
    var there = send(
      Load(
        name: "send tokens", layer: split.layer, category: .message, bytes: message, from: stage.place, to: split.home),
      after: [before].compactMap { $0 })
    for work in away {
      there = tasks.add(
        operation(work.gathered(units(of: stage)), on: split.home, layer: split.layer, after: [there]))
    }
    // Each worker sends sums of its own experts.
    let workers = Double(plan.workers(of: split.home, placement.machine))
    let back = send(
      Load(
        name: "send results", layer: split.layer, category: .message, bytes: message * workers, from: split.home,
        to: stage.place),
      after: [there])
    let here = split.operators.map { $0.name.hasPrefix("expert_") ? $0.share(1 - split.missing) : $0 }
    for work in here {
      let joins = work.name == "unpermute"
      guard joins || work.flops > .zero || work.traffic.total > .zero else { continue }
      let task = operation(
        work, on: stage.place, layer: split.layer,
        after: [parts[part].last].compactMap { $0 } + (joins ? [back] : []))
      parts[part].last = tasks.add(task)
      noteLaunches(work.allLaunches, part)
    }
  }

  /// Activations of the visits that leave, one way.
  private func messageBytes(_ split: ExpertSplit) -> Bytes {
    for work in split.operators {
      if case .expertGEMM(let shape) = work.kind {
        return graph.plan.formats.stream.size(of: shape.visits * split.missing * Double(graph.model.hidden))
      }
    }
    return .zero
  }

  /// Whether computing the missing experts where they lie takes less time than fetching them.
  private func isCheaperThere(_ split: ExpertSplit, _ stage: PlacedStage) -> Bool {
    let there = split.products.map { $0.share(split.missing).gathered(units(of: stage)) }
      .sum { operation($0, on: split.home, layer: split.layer, after: []).duration }
    let fetch = transfer(
      Load(
        name: "fetch experts", layer: split.layer, category: .expertCopy,
        bytes: split.visited * (split.missing * units(of: stage)), from: split.home, to: stage.place),
      after: [])
    return there < fetch.latency + fetch.duration
  }
}
