import CostModels
import Documents
import Hardware
import ModelGraph
import Quantities

/// A plan on a machine: every role a place, every place its resources, every tensor a home that holds it.
package struct Placement: Sendable {
  package let plan: PlacementPlan
  package let machine: Machine
  let map: ResourceMap
  let paths: [PathKey: [Machine.Hop]]
  /// Stages in order; one on the main place when the plan has none.
  package let stages: [PlacedStage]
  let weightsHome: Int?
  let kvHome: Int?
  let attentionAt: Int?
  let expertsHome: Int?
  let client: Int?
  let tables: Int?
  /// What fills each place's memory.
  package let memory: PlacementMemory
  let parts: Parts
  /// What is left of the time to read weights, some of which stay on chip.
  let onChip: Double

  struct PathKey: Hashable, Sendable {
    var from: Int
    var to: Int
  }

  /// Where the first layers run.
  var main: Int { stages[0].place }
  var mainSite: Site { firstSite }
  private let firstSite: Site

  /// What a placement is made of besides the plan and the machine.
  struct Parts {
    var graph: OperatorGraph
    var runtime: RuntimeProfile
    /// Prices the main devices.
    var pricer: OperatorPricer
    /// Constants of other devices.
    var constants: @Sendable (Device) throws -> Constants
    /// Board power of each main device; nothing for the device's own.
    var powerCap: Watts?
  }

  /// - Throws: ``MachineError``, ``PlacementError`` or what `constants` throws.
  init(_ plan: PlacementPlan, on machine: Machine, _ parts: Parts) throws {
    self.plan = plan
    self.machine = machine
    self.parts = parts
    let roles = try Roles(plan, machine, parts)
    weightsHome = roles.weightsHome
    kvHome = roles.kvHome
    attentionAt = roles.attentionAt
    expertsHome = roles.expertsHome
    client = roles.client
    tables = roles.tables
    let paths = try Self.paths(roles, machine)
    self.paths = paths
    map = try Self.map(roles, machine, plan, parts, crossing: Set(paths.values.flatMap { $0.map(\.wire) }))
    memory = try PlacementMemory(plan, machine, roles, map, parts)
    stages = memory.stages
    guard let site = map.sites[memory.stages[0].place] else {
      throw PlacementError.nothingFits(model: parts.graph.model.name, machine: machine.name, tried: [plan.name])
    }
    firstSite = site
    onChip = try OnChipWeights(plan, site, machine, parts).factor
  }

  /// The same plan on a machine with one rate multiplied.
  package func scaled(_ rate: Machine.Rate, by factor: Double) throws -> Placement {
    let machine = machine.scaled(rate, by: factor)
    var parts = parts
    parts.pricer = parts.pricer.on(machine.places[machine.main].device)
    return try Placement(plan, on: machine, parts)
  }

  /// The same plan with a power limit of each main device.
  package func capped(at cap: Watts?) throws -> Placement {
    var parts = parts
    parts.powerCap = cap
    return try Placement(plan, on: machine, parts)
  }

  /// The same plan once the main devices' clocks have fallen.
  func throttled(to limit: ThermalLimit) throws -> Placement {
    let main = machine.main
    let slower = machine.scaled(.compute(main), by: limit.clock).scaled(.memory(main), by: limit.memory)
    var parts = parts
    parts.pricer = parts.pricer.clocked(limit.clock).on(slower.places[main].device)
    return try Placement(plan, on: slower, parts)
  }

  var graph: OperatorGraph { parts.graph }
  var runtime: RuntimeProfile { parts.runtime }

  private static func map(
    _ roles: Roles, _ machine: Machine, _ plan: PlacementPlan, _ parts: Parts, crossing wires: Set<Int>
  ) throws -> ResourceMap {
    var map = ResourceMap(machine)
    for index in roles.used {
      let units = try units(of: index, machine, plan, parts)
      let place = try Sockets(index, units: units, machine, plan).place
      let computes = roles.computing.contains(index)
      let pricer = index == machine.main ? parts.pricer : computes ? try self.pricer(place, parts) : nil
      try checkFormats(pricer, place.device, parts.graph)
      map.use(index, place, units: units, pricer: pricer, computes: computes)
    }
    map.tellEnergy(of: wires, machine)
    for stage in roles.stages where machine.places[stage.place].node != machine.places[roles.stages[0].place].node {
      let node = machine.places[stage.place].node
      map.addHost(of: node, named: machine.nodes[node])
    }
    if let cap = parts.powerCap, let site = map.sites[machine.main] {
      guard cap > site.standing else {
        throw PlacementError.powerCap(cap, standing: site.standing, place: machine.places[machine.main].name)
      }
      map.components[site.component].cap = cap * Double(site.units)
    }
    return map
  }

  /// Prices operators on a place other than the main one; nothing for a drive.
  static func pricer(_ place: Machine.Place, _ parts: Parts) throws -> OperatorPricer? {
    guard !place.isDrive else { return nil }
    let isLikeMain = place.device.name == parts.pricer.platform.device.name
    return OperatorPricer(
      platform: Platform(
        name: place.name, title: place.device.title, device: place.device, available: nil, perNode: nil,
        peerPath: LinkPath(name: "none", bandwidth: .zero, latency: .zero)),
      constants: isLikeMain ? parts.pricer.constants : try parts.constants(place.device))
  }

  private static func units(
    of index: Int, _ machine: Machine, _ plan: PlacementPlan, _ parts: Parts
  ) throws -> Int {
    let place = machine.places[index]
    let named = plan.units[place.name] ?? role(of: index, machine, plan).flatMap { plan.units[$0] }
    let isStage = plan.stages.isEmpty ? index == machine.main : plan.stages.contains { $0.at == place.name }
    let isMainTier = place.tierOf == machine.main && plan.stages.isEmpty
    let ranks = parts.graph.plan.parallelism.ranks
    let wanted = isStage || isMainTier ? ranks : named ?? place.units
    // One rank of a plan that keeps everything where it computes stands for all, on however many nodes they are.
    if index == machine.main, plan.isLocal, wanted <= machine.units(like: index) { return wanted }
    // A device file describes one that may be repeated.
    guard wanted <= place.units || machine.places.count == 1 else {
      throw MachineError.tooManyUnits(place: place.name, wanted: wanted, available: place.units)
    }
    return wanted
  }

  /// The role in a table of the plan that means a place.
  static func role(of index: Int, _ machine: Machine, _ plan: PlacementPlan) -> String? {
    (plan.units.keys.sorted() + plan.memory.keys.sorted()).first { (try? machine.resolve($0)) == index }
  }

  private static func checkFormats(
    _ pricer: OperatorPricer?, _ device: Device, _ graph: OperatorGraph
  ) throws(UnsupportedFormat) {
    guard let rates = pricer?.rates else { return }
    for format in [graph.plan.formats.compute, graph.plan.formats.stream] where !rates.supports(format) {
      throw UnsupportedFormat(format: format, role: "operators placed on it", device: device)
    }
  }

  private static func paths(_ roles: Roles, _ machine: Machine) throws(MachineError) -> [PathKey: [Machine.Hop]] {
    var paths: [PathKey: [Machine.Hop]] = [:]
    for pair in roles.pairs {
      paths[PathKey(from: pair.from, to: pair.to)] = try machine.path(from: pair.from, to: pair.to)
      paths[PathKey(from: pair.to, to: pair.from)] = try machine.path(from: pair.to, to: pair.from)
    }
    return paths
  }
}

/// Layers of a pipeline on a place.
package struct PlacedStage: Sendable, Equatable {
  package var place: Int
  package var layers: Range<Int>
  /// Share of its dense weights that stays in its memory, and where the rest comes from.
  package var resident: Double
  package var store: Int?
}

/// The places behind a plan's words.
struct Roles {
  var weightsHome: Int?
  var kvHome: Int?
  var attentionAt: Int?
  var expertsHome: Int?
  var client: Int?
  var tables: Int?
  var stages: [(place: Int, layers: Range<Int>, store: Int?)] = []
  /// Places in use, ascending, and those that compute.
  var used: [Int] = []
  var computing: Set<Int> = []
  /// Between which something moves.
  var pairs: [(from: Int, to: Int)] = []

  init(_ plan: PlacementPlan, _ machine: Machine, _ parts: Placement.Parts) throws {
    func place(_ role: String?) throws -> Int? { try role.map { try machine.resolve($0) } }
    try Self.check(plan, machine, parts)
    weightsHome = try place(plan.weights.home)
    attentionAt = try place(plan.attention.at)
    kvHome = try place(plan.kv.home) ?? attentionAt
    expertsHome = try place(plan.experts.home)
    client = try place(plan.client)
    try placeStages(plan, machine, layers: parts.graph.model.decoder.layerCount)
    tables = try place(plan.tables)
    computing = Set(stages.map(\.place) + [attentionAt, tables].compactMap { $0 })
    if plan.experts.fetch == .there || plan.experts.fetch == .cheaper, let expertsHome { computing.insert(expertsHome) }
    for stage in stages {
      for home in [stage.store, kvHome, attentionAt, expertsHome] {
        if let home, home != stage.place { pairs.append((home, stage.place)) }
      }
    }
    for (one, next) in zip(stages, stages.dropFirst()) where one.place != next.place {
      pairs.append((one.place, next.place))
    }
    if let first = stages.first, let last = stages.last {
      let start = client ?? first.place
      if start != first.place { pairs.append((start, first.place)) }
      if start != last.place { pairs.append((last.place, start)) }
    }
    used = Set(stages.map(\.place) + pairs.flatMap { [$0.from, $0.to] }).sorted()
  }

  private mutating func placeStages(_ plan: PlacementPlan, _ machine: Machine, layers: Int) throws {
    guard !plan.stages.isEmpty else {
      stages = [(machine.main, 0..<layers, weightsHome)]
      return
    }
    var next = 0
    for stage in plan.stages {
      let place = try machine.resolve(stage.at)
      guard !machine.places[place].isDrive else {
        throw PlacementError.cannotCompute(place: machine.places[place].name, what: "layers")
      }
      let store = try stage.store.map { try machine.resolve($0) } ?? weightsHome
      stages.append((place, next..<next + stage.layers, store))
      next += stage.layers
    }
    guard next == layers else { throw PlacementError.layers(plan: plan.name, placed: next, model: layers) }
  }

  private static func check(_ plan: PlacementPlan, _ machine: Machine, _ parts: Placement.Parts) throws {
    let parallelism = parts.graph.plan.parallelism
    guard parallelism.pipeline == 1, parallelism.data == 1 || plan.isLocal else {
      throw PlacementError.parallelism(plan: plan.name)
    }
    guard plan.stages.isEmpty || parallelism.tensor == 1 else { throw PlacementError.stagesWithTensor(plan: plan.name) }
    if let tables = plan.tables {
      guard tables == plan.client else { throw PlacementError.tablesApart(plan: plan.name, tables: tables) }
      let place = machine.places[try machine.resolve(tables)]
      if place.isDrive { throw PlacementError.cannotCompute(place: place.name, what: "token table and head") }
    }
    if let home = plan.experts.home, parts.graph.model.expertCount == nil {
      throw PlacementError.noExperts(plan: plan.name, model: parts.graph.model.name, home: home)
    }
    if let role = plan.attention.at {
      let place = machine.places[try machine.resolve(role)]
      if place.device.kind == .ssd { throw PlacementError.cannotCompute(place: place.name, what: "attention") }
      guard plan.kv.home == nil || plan.kv.home == role else {
        throw PlacementError.attentionApartFromCache(plan: plan.name, attention: role, cache: plan.kv.home ?? "main")
      }
    }
    if let role = plan.experts.home, plan.experts.fetch == .there || plan.experts.fetch == .cheaper {
      let place = machine.places[try machine.resolve(role)]
      if place.isDrive { throw PlacementError.cannotCompute(place: place.name, what: "experts") }
    }
  }
}

/// Why a plan cannot be carried out.
package enum PlacementError: Error, CustomStringConvertible, Sendable {
  case doesNotFit(what: String, place: String, needed: Bytes, room: Bytes, hint: String)
  case cannotCompute(place: String, what: String)
  case layers(plan: String, placed: Int, model: Int)
  case parallelism(plan: String)
  case stagesWithTensor(plan: String)
  case noExperts(plan: String, model: String, home: String)
  case attentionApartFromCache(plan: String, attention: String, cache: String)
  case nothingFits(model: String, machine: String, tried: [String])
  case powerCap(Watts, standing: Watts, place: String)
  case pipelined
  case noSuchMember(plan: String, name: String, members: [String])
  case nobodyLeft(plan: String)
  case noScratchpad(plan: String, device: String)
  case draftHead(plan: String, place: String)
  case noDraft(plan: String)
  case tablesApart(plan: String, tables: String)

  package var description: String {
    switch self {
    case .doesNotFit(let what, let place, let needed, let room, let hint):
      "\(what) do not fit on \(place): \(needed) are needed and \(room) are free; \(hint)"
    case .cannotCompute(let place, let what): "\(place) is a drive without engines and cannot compute \(what)"
    case .layers(let plan, let placed, let model):
      "plan '\(plan)' places \(placed) layers and the model has \(model)"
    case .parallelism(let plan):
      "plan '\(plan)' places tensors itself, so --pp and --dp must be 1; write stages into a plan file instead"
    case .stagesWithTensor(let plan):
      "plan '\(plan)' has stages on single devices, so --tp must be 1"
    case .noExperts(let plan, let model, let home):
      "plan '\(plan)' puts experts on \(home), and \(model) has none"
    case .attentionApartFromCache(let plan, let attention, let cache):
      "plan '\(plan)' runs attention on \(attention) and keeps the cache on \(cache); it must be where attention is"
    case .nothingFits(let model, let machine, let tried):
      "no plan fits \(model) on \(machine): " + tried.joined(separator: "; ")
    case .powerCap(let cap, let standing, let place):
      "a power cap of \(cap) is not above the \(standing) that \(place) draws whatever it does"
    case .noSuchMember(let plan, let name, let members):
      members.isEmpty
        ? "plan '\(plan)' has no stages, so it cannot go on without '\(name)'"
        : "plan '\(plan)' has no stage on '\(name)'; it has \(members.joined(separator: ", "))"
    case .nobodyLeft(let plan): "nobody is left to run the layers of plan '\(plan)'"
    case .noScratchpad(let plan, let device):
      "plan '\(plan)' keeps weights on chip, and the file of \(device) gives no scratchpad with a bandwidth"
    case .draftHead(let plan, let place):
      "plan '\(plan)' drafts on \(place), and a draft head needs the model's own hidden state; use a draft model"
    case .noDraft(let plan):
      "plan '\(plan)' says where a small model drafts, and none does; add one with --with draft-model:model=..."
    case .tablesApart(let plan, let tables):
      "plan '\(plan)' has token table and head on \(tables), which must be its client: tokens start and end there"
    case .pipelined: "a plan with stages is priced as a whole; it has no bottleneck of its own"
    }
  }
}
