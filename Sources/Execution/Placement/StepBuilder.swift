import CostModels
import Hardware
import ModelGraph
import Quantities

/// Turns one step under a placement into tasks: operators priced where they run, copies of what is not there.
///
/// Operators of a layer run one after another; copies run beside them as far as their buffers allow.
struct StepBuilder {
  let placement: Placement
  let graph: OperatorGraph
  let runtime: RuntimeProfile
  var tasks: TaskGraph
  /// Kernels launched on the devices of the stage at hand, by part, for its host's time.
  private var launches: [Int]
  var parts: [Part]
  var buffers = BufferLedger()
  /// Copies that nobody waits for but the end of the step.
  var writes: [Int] = []
  /// The fetch of each layer's weights.
  var fetched: [Int: Int] = [:]
  /// How finely the step is cut.
  let detail: Detail
  /// Operators in a row as one task, by what they belong to; equal layers share them.
  private var merged: [MergedKey: ScheduleTask] = [:]

  enum Detail: Sendable, Equatable {
    /// A task for each operator.
    case operators
    /// A task for operators in a row on one place, and only so many of the layers.
    case merged(layers: Int)
  }

  private struct MergedKey: Hashable {
    var kind: Int
    var segment: Int
    var place: Int
    var part: Int
  }

  /// One part of the batch on its way through the layers.
  struct Part {
    var shape: StepShape
    var layered: LayeredStep
    /// Task after which the next one may begin; nothing at the beginning.
    var last: Int?
    /// Where its hidden state is.
    var place: Int
    /// Router of the mixture before this one, and its task.
    var lastRouter: Int?
    /// The launches of the stage it comes from, which must end too before it moves on.
    var launched: Int?
    /// When its host last read what a router had chosen; it launches nothing further before.
    var synced: Int?
    /// The task that brought it to the stage it is in; nothing at the beginning.
    var entered: Int?
  }

  /// Tasks that gave back a buffer, by stream, in order.
  struct BufferLedger {
    private var released: [String: [Int]] = [:]
    private var asked: [String: Int] = [:]

    /// The task that must end before the stream's next unit may be fetched into one of so many buffers.
    mutating func wait(_ stream: String, buffers: Int) -> Int? {
      let unit = asked[stream, default: 0]
      asked[stream] = unit + 1
      let done = released[stream] ?? []
      let index = unit - buffers
      return done.indices.contains(index) ? done[index] : nil
    }

    mutating func release(_ stream: String, after task: Int) { released[stream, default: []].append(task) }
  }

  init(
    _ placement: Placement, _ graph: OperatorGraph, _ runtime: RuntimeProfile, _ step: StepShape,
    detail: Detail = .operators
  ) {
    self.detail = detail
    self.placement = placement
    self.graph = graph
    self.runtime = runtime
    tasks = TaskGraph(resources: placement.map.resources, components: placement.map.components)
    let start = placement.client ?? placement.stages[0].place
    parts = step.divided(into: placement.plan.microBatches).map { shape in
      Part(shape: shape, layered: graph.layered(for: shape), place: start)
    }
    launches = [Int](repeating: 0, count: parts.count)
  }

  var plan: PlacementPlan { placement.plan }

  func site(_ place: Int) -> Site {
    // Every place of a checked plan is in the map; the main one always is.
    placement.map.sites[place] ?? placement.mainSite
  }

  // MARK: The whole step

  mutating func build(_ step: StepShape) -> TaskGraph {
    for (index, stage) in placement.stages.enumerated() {
      let isFirst = index == 0
      let isLast = index == placement.stages.count - 1
      if isFirst, let client { for part in parts.indices { run(parts[part].layered.front, part, client, layer: -1) } }
      for part in parts.indices { enter(stage, part) }
      if isFirst, client == nil {
        for part in parts.indices { run(parts[part].layered.front, part, stage, layer: -1) }
      }
      addLayers(of: stage, encoderToo: isFirst)
      if isLast, client == nil {
        for part in parts.indices { run(parts[part].layered.back, part, stage, layer: -1) }
      }
      if placement.stages.count > 1 { for part in parts.indices { addLaunches(of: stage, part) } }
    }
    for part in parts.indices {
      comeBack(part)
      if let client { run(parts[part].layered.back, part, client, layer: -1) }
    }
    addHost(step)
    return tasks
  }

  /// The client's own work, where it has token table and head.
  private var client: PlacedStage? {
    placement.tables.map { PlacedStage(place: $0, layers: 0..<0, resident: 1, store: nil) }
  }

  /// Layers of a stage: earlier parts go first, so that the next stage can begin and parts do not fall into step (both
  /// would then want the same engine); layer after layer where weights are fetched, so that they are fetched once.
  private mutating func addLayers(of stage: PlacedStage, encoderToo: Bool) {
    let layers = parts[0].layered.layers.indices.filter { index in
      let layer = parts[0].layered.layers[index]
      if case .merged(let most) = detail, layer.index >= most { return false }
      return layer.isEncoder ? encoderToo : stage.layers.contains(layer.index)
    }
    if stage.resident < 1 {
      for layer in layers { for part in parts.indices { addLayer(layer, part, stage) } }
    } else {
      for part in parts.indices { for layer in layers { addLayer(layer, part, stage) } }
    }
  }

  private mutating func addLayer(_ index: Int, _ part: Int, _ stage: PlacedStage) {
    let layer = parts[part].layered.layers[index]
    let fetch = fetchWeights(layer, part, stage)
    var rest = layer.operators[...]
    var segment = 0
    while let work = rest.first {
      segment += 1
      if work.isExpertWork, placement.expertsHome != nil {
        let experts = rest.prefix { $0.isExpertWork }
        addExperts(Array(experts), layer: layer.index, part, stage)
        rest = rest.dropFirst(experts.count)
      } else if isRemote(work, stage) {
        addAttention(work, layer: layer.index, part, stage)
        rest = rest.dropFirst()
      } else {
        let plain = rest.prefix { !($0.isExpertWork && placement.expertsHome != nil) && !isRemote($0, stage) }
        runPlain(Array(plain), part, stage, layer, segment: segment, after: fetch)
        rest = rest.dropFirst(plain.count)
      }
    }
    if fetch != nil, part == parts.count - 1, let last = parts[part].last {
      buffers.release("weights \(stage.place)", after: last)
    }
  }

  private func isRemote(_ work: Operator, _ stage: PlacedStage) -> Bool {
    work.isCachedAttention && placement.kvHome.map { $0 != stage.place } ?? false
  }

  // MARK: Operators

  /// Operators of a layer that are where the layer is.
  private mutating func runPlain(
    _ operators: [Operator], _ part: Int, _ stage: PlacedStage, _ layer: LayeredStep.Layer, segment: Int,
    after fetch: Int?
  ) {
    guard detail != .operators else {
      for work in operators {
        run([work], part, stage, layer: layer.index, after: work.traffic.weights > .zero ? fetch : nil)
      }
      return
    }
    let key = MergedKey(kind: layer.kind, segment: segment, place: stage.place, part: part)
    var task = merged[key] ?? merge(operators, on: stage.place)
    merged[key] = task
    task.layer = layer.index
    task.after = [parts[part].last, fetch].compactMap { $0 }
    parts[part].last = tasks.add(task)
    launches[part] += operators.reduce(0) { $0 + $1.allLaunches }
  }

  /// Operators in a row as one task.
  private func merge(_ operators: [Operator], on place: Int) -> ScheduleTask {
    let all = operators.map { operation($0, on: place, layer: 0, after: []) }
    guard var whole = all.first else {
      return ScheduleTask("layer", .other, duration: .zero, charged: site(place).engine)
    }
    whole.duration = all.sum(\.duration)
    whole.energy = all.sum(\.energy)
    whole.demands = [ResourceDemand(site(place).memory, all.reduce(0) { $0 + ($1.demands.first?.amount ?? 0) })]
    return whole
  }

  /// Runs operators one after another on a stage's place.
  mutating func run(
    _ operators: [Operator], _ part: Int, _ stage: PlacedStage, layer: Int, after fetch: Int? = nil
  ) {
    for work in operators {
      let task = operation(work, on: stage.place, layer: layer, after: [parts[part].last, fetch].compactMap { $0 })
      parts[part].last = tasks.add(task)
      noteLaunches(work.allLaunches, part)
    }
  }

  mutating func noteLaunches(_ count: Int, _ part: Int) { launches[part] += count }

  /// An operator on a processor. Work for several devices of a place other than the main one is split evenly.
  func operation(_ work: Operator, on place: Int, layer: Int, after: [Int]) -> ScheduleTask {
    let site = site(place)
    var share = place == placement.main ? work : work.share(1 / Double(site.units))
    if place == placement.main, placement.onChip < 1 {
      share.traffic.weights = share.traffic.weights * placement.onChip
    }
    // A place that runs operators has a pricer.
    let price = site.pricer?.price(share) ?? OperatorPrice(time: .zero, energy: .zero, bound: .compute)
    let count = Double(work.count)
    let spent = max(.zero, price.energy - site.standing * price.time)
    // Messages hold the way to the peers, not the arithmetic: another part of the batch may compute meanwhile.
    let engine = work.category == .message ? site.peers : site.engine
    return ScheduleTask(
      work.name, layer: layer, work.category, engine: engine, duration: price.time * count,
      demands: [
        ResourceDemand(site.memory, min(share.traffic.total.value, memoryRate(site) * price.time.value) * count)
      ],
      after: after, energy: spent * (count * Double(site.units)), component: site.component, charged: engine,
      bound: price.bound)
  }

  private func memoryRate(_ site: Site) -> Double { placement.map.resources[site.memory].capacity ?? 0 }

  // MARK: Transfers

  /// What moves from place to place, all devices together.
  struct Load {
    var name: String
    var layer: Int
    var category: ScheduleTask.Category
    var bytes: Bytes
    var from: Int
    var to: Int
    /// Copy engine that it takes; nothing for messages.
    var engine: Int?
    /// Share of what flash reads that leaves the drive; less than all for reads of whole pages.
    var readFactor = 1.0
  }

  /// A transfer over all wires of its way at once, at what copies reach of the slowest.
  func transfer(_ load: Load, after: [Int]) -> ScheduleTask {
    let hops = placement.paths[Placement.PathKey(from: load.from, to: load.to)] ?? []
    let route = Route(load, hops, placement)
    return ScheduleTask(
      load.name, layer: load.layer, load.category, engine: load.engine, latency: plan.copies.start + route.latency,
      duration: route.duration, demands: route.demands, after: after, energy: route.energy, component: route.component,
      besides: route.besides, charged: route.slowest, bound: .link)
  }

  mutating func send(_ load: Load, after: [Int]) -> Int { tasks.add(transfer(load, after: after)) }

  // MARK: Between stages

  /// Moves the hidden state of a part to a stage's place.
  private mutating func enter(_ stage: PlacedStage, _ part: Int) {
    let from = parts[part].place
    parts[part].entered = parts[part].last
    guard from != stage.place else { return }
    let bytes = graph.plan.formats.stream.size(of: Double(parts[part].shape.tokens * graph.model.hidden))
    let load = Load(name: "hop", layer: -1, category: .message, bytes: bytes, from: from, to: stage.place)
    parts[part].last = send(load, after: [parts[part].last, parts[part].launched].compactMap { $0 })
    parts[part].entered = parts[part].last
    parts[part].place = stage.place
  }

  /// The last stage's result goes to where the next step begins.
  private mutating func comeBack(_ part: Int) {
    let start = placement.client ?? placement.stages[0].place
    guard parts[part].place != start else { return }
    let elements =
      Double(max(1, parts[part].shape.sampledTokens)) * Double(placement.client == nil ? 2 : graph.model.hidden)
    let bytes = graph.plan.formats.stream.size(of: elements)
    let load = Load(name: "return", layer: -1, category: .message, bytes: bytes, from: parts[part].place, to: start)
    parts[part].last = send(load, after: [parts[part].last, parts[part].launched].compactMap { $0 })
  }

  // MARK: Host

  /// What the host of a stage launches for a part, from the moment that the part is there.
  private mutating func addLaunches(of stage: PlacedStage, _ part: Int) {
    let before = [parts[part].entered, parts[part].synced].compactMap { $0 }
    parts[part].launched = launching(launches[part], on: stage.place, after: before) ?? parts[part].launched
    parts[part].synced = nil
    launches[part] = 0
  }

  /// The host reads which experts a router has chosen before it copies them or computes them elsewhere: what it launched
  /// so far must be done, and what follows is launched afterwards.
  mutating func readRouter(_ part: Int, _ stage: PlacedStage) {
    let before = [parts[part].synced ?? parts[part].entered].compactMap { $0 }
    guard let launched = launching(launches[part], on: stage.place, after: before) else { return }
    launches[part] = 0
    let engine = tasks.tasks[launched].charged
    let read = tasks.add(
      ScheduleTask(
        "read router", .host, engine: engine, duration: .zero, after: [launched, parts[part].last].compactMap { $0 },
        charged: engine, bound: .host))
    parts[part].synced = read
    parts[part].last = read
  }

  /// Launches of so many kernels, where the runtime does not replay a captured graph.
  private mutating func launching(_ count: Int, on place: Int, after: [Int]) -> Int? {
    let captured = runtime.graphCapture && !parts.contains { $0.shape.prefillTokens > 0 }
    guard let pricer = site(place).pricer, !captured, count > 0 else { return nil }
    let each = pricer.constants.time(.launch)
    guard each > .zero else { return nil }
    let engine = placement.map.hosts[placement.machine.places[place].node] ?? placement.map.runtime
    return tasks.add(
      ScheduleTask(
        "launches", .host, engine: engine, duration: each * Double(count), after: after, charged: engine, bound: .host))
  }

  /// Launches run beside the devices; scheduling and sampling follow when all is done.
  private mutating func addHost(_ step: StepShape) {
    guard let pricer = site(placement.main).pricer else { return }
    let constants = pricer.constants
    let engine = placement.map.runtime
    var before = parts.compactMap(\.last) + parts.compactMap(\.launched) + writes
    if placement.stages.count == 1 {
      let all = launches.reduce(0, +)
      let after = parts.compactMap(\.synced)
      if let task = launching(all, on: placement.main, after: after) { before.append(task) }
    }
    let prompts = step.prefillTokens > 0 ? constants.time(.stepWithPrompts) : .zero
    let time = constants.time(.stepOverhead) + constants.time(.stepPerSequence) * Double(step.sequences) + prompts
    tasks.add(
      ScheduleTask(
        "scheduling and sampling", .host, engine: engine, duration: time, after: before, charged: engine, bound: .host))
  }

}

extension StepShape {
  /// The same work in so many parts of equal size; fewer when there are fewer sequences.
  func divided(into count: Int) -> [StepShape] {
    let most = max(1, max(decodeSequences, prefillSequences))
    let count = min(count, most)
    guard count > 1 else { return [self] }
    return (0..<count).map { part in
      let share = 1 / Double(count)
      func whole(_ number: Int) -> Int { number * (part + 1) / count - number * part / count }
      var shape = self
      shape.decodeSequences = whole(decodeSequences)
      shape.decodeContext = decodeContext * share
      shape.prefillTokens = whole(prefillTokens)
      shape.prefillSequences = whole(prefillSequences)
      shape.prefillPairs = prefillPairs * share
      shape.prefillKeys = prefillKeys * share
      shape.finishedPrompts = whole(finishedPrompts)
      shape.encoderTokens = whole(encoderTokens)
      shape.encoderSequences = whole(encoderSequences)
      shape.encoderPairs = encoderPairs * share
      shape.crossKeys = crossKeys * share
      return shape
    }
  }
}

extension Operator {
  /// Part of a mixture's own work, from dealing tokens out to gathering them.
  var isExpertWork: Bool {
    if case .expertGEMM = kind { return true }
    return name == "permute" || name == "unpermute" || name == "expert_activation"
  }

  /// Attention that reads the decoder's cache.
  var isCachedAttention: Bool { name == "attention_decode" || name == "attention_prefill" }

  var category: ScheduleTask.Category {
    if isExpertWork { return .experts }
    switch kind {
    case .gemm, .expertGEMM: return .product
    case .decodeAttention, .prefillAttention: return .attention
    case .collective: return .message
    case .elementwise, .recurrentScan: return .other
    }
  }

  /// A share of the work, as one of several devices does it: heads of attention, experts of a mixture, columns of a
  /// product, rows of the rest.
  func share(_ share: Double) -> Operator {
    guard share != 1 else { return self }
    func whole(_ count: Int) -> Int { max(1, Int((Double(count) * share).rounded(.up))) }
    var part = self
    part.flops = flops * share
    part.traffic = traffic * share
    switch kind {
    case .gemm(var shape):
      shape.columns = whole(shape.columns)
      part.kind = .gemm(shape)
    case .expertGEMM(var shape):
      shape.visits *= share
      shape.activeExperts *= share
      part.kind = .expertGEMM(shape)
    case .decodeAttention(var shape):
      shape.queryHeads = whole(shape.queryHeads)
      shape.kvHeads = whole(shape.kvHeads)
      part.kind = .decodeAttention(shape)
    case .prefillAttention(var shape):
      shape.queryHeads = whole(shape.queryHeads)
      part.kind = .prefillAttention(shape)
    case .elementwise, .recurrentScan, .collective: break
    }
    return part
  }
}
