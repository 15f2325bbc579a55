import CostModels
import Hardware
import ModelGraph
import Quantities

/// What a plan keeps in the memory of each place, and the room it leaves for the cache.
package struct PlacementMemory: Sendable {
  /// What one place holds, all its devices together.
  package struct Row: Sendable {
    package var place: String
    package var usable: Bytes
    package var weights: Bytes = .zero
    package var experts: Bytes = .zero
    package var activations: Bytes = .zero
    /// Weights on the way, and the runtime's own.
    package var buffers: Bytes = .zero
    /// Share of the cache that it keeps, the buffers it passes through included.
    package var cacheShare = 0.0

    package var room: Bytes { usable - weights - experts - activations - buffers }
  }

  package let rows: [Row]
  let stages: [PlacedStage]
  /// Share of a layer's experts on the main place.
  let residentExperts: Double
  /// Room for the cache of one main device, wherever it lies.
  let cacheRoom: Bytes
  let weightsOnMain: Bytes

  /// - Throws: ``PlacementError`` when something fits nowhere.
  init(_ plan: PlacementPlan, _ machine: Machine, _ roles: Roles, _ map: ResourceMap, _ parts: Placement.Parts) throws {
    var fill = Filling(plan, machine, roles, map, parts)
    stages = try fill.placeLayers()
    residentExperts = try fill.placeExperts()
    fill.placeCache()
    rows = roles.used.compactMap { fill.rows[$0] }
    weightsOnMain = fill.rows[roles.stages[0].place].map { $0.weights + $0.experts } ?? .zero
    cacheRoom = fill.cacheRoom
  }

  /// The memories while they are filled.
  private struct Filling {
    let plan: PlacementPlan
    let roles: Roles
    let parts: Placement.Parts
    let units: [Int: Double]
    let weights: WeightParts
    let layers: Double
    let names: [Int: String]
    var rows: [Int: Row] = [:]

    /// Devices that hold copies of a tensor-parallel model's parts: what one main device has times so many.
    var mainUnits: Double { Double(parts.graph.plan.parallelism.ranks) }

    init(_ plan: PlacementPlan, _ machine: Machine, _ roles: Roles, _ map: ResourceMap, _ parts: Placement.Parts) {
      self.plan = plan
      self.roles = roles
      self.parts = parts
      weights = parts.graph.weightParts
      layers = Double(parts.graph.model.decoder.layerCount)
      var units: [Int: Double] = [:]
      var names: [Int: String] = [:]
      for index in roles.used {
        let place = machine.places[index]
        let count = Double(map.sites[index]?.units ?? 1)
        units[index] = count
        names[index] = place.name
        rows[index] = Row(
          place: place.name, usable: Self.usable(place, index, machine, plan, parts) * count)
      }
      self.units = units
      self.names = names
      for stage in roles.stages where rows[stage.place]?.activations == .zero { addWork(on: stage.place) }
    }

    private static func usable(
      _ place: Machine.Place, _ index: Int, _ machine: Machine, _ plan: PlacementPlan, _ parts: Placement.Parts
    ) -> Bytes {
      let capacity = place.device.storage?.capacity ?? place.memory
      let named = plan.memory[place.name] ?? Placement.role(of: index, machine, plan).flatMap { plan.memory[$0] }
      switch named {
      case .size(let size): return min(size, capacity)
      case .share(let share): return capacity * share
      case nil: return index == machine.main ? capacity * parts.runtime.memoryFraction : capacity
      }
    }

    /// Activations of the largest step and the runtime's own memory, where layers run.
    private mutating func addWork(on place: Int) {
      let runtime = parts.runtime
      let count = units[place] ?? 1
      let activations = parts.graph.liveActivations(
        tokens: runtime.maxBatchedTokens, sampled: min(runtime.maxSequences, runtime.maxBatchedTokens))
      rows[place]?.activations = activations * count
      // Small machines leave the runtime what their limit leaves out.
      if plan.memory.isEmpty { rows[place]?.buffers = runtime.reservedMemory * count }
    }

    // MARK: Layers

    mutating func placeLayers() throws -> [PlacedStage] {
      var placed: [PlacedStage] = []
      let first = roles.stages[0].place
      let tables = weights.tables * mainUnits
      rows[roles.tables ?? first]?.weights += tables
      // A place may have several stages: what is left of its memory is shared between them by their layers.
      for stage in roles.stages { placed.append(try place(stage, among: roles.stages)) }
      for (stage, done) in zip(roles.stages, placed) {
        let size = self.size(of: stage.layers)
        rows[stage.place]?.weights += size * done.resident
        if let store = stage.store, done.resident < 1 {
          try keep(size * (1 - done.resident), on: store, what: "weights")
        }
        if done.resident < 1, plan.weights.reads != .ring {
          let passing = min(1, Double(plan.weights.prefetch + 1) / Double(stage.layers.count))
          rows[stage.place]?.buffers += size * ((1 - done.resident) * passing)
        }
      }
      for index in roles.used {
        guard let row = rows[index], row.room < .zero else { continue }
        throw PlacementError.doesNotFit(
          what: "weights, activations and buffers", place: row.place, needed: row.usable - row.room, room: row.usable,
          hint: "choose a plan that keeps weights elsewhere (weights-host, weights-ssd), or a narrower --weights format"
        )
      }
      return placed
    }

    private func size(of layers: Range<Int>) -> Bytes {
      let all = weights.dense + (roles.expertsHome == nil ? weights.experts : .zero)
      return all * mainUnits * (Double(layers.count) / self.layers)
    }

    private func place(
      _ stage: (place: Int, layers: Range<Int>, store: Int?), among all: [(place: Int, layers: Range<Int>, store: Int?)]
    ) throws -> PlacedStage {
      let here = all.filter { $0.place == stage.place }
      let wanted = here.sum { size(of: $0.layers) }
      let room = rows[stage.place].map { $0.room - $0.usable * plan.weights.setAside } ?? .zero
      // What does not stay passes through buffers of a few layers.
      let layers = here.reduce(0) { $0 + $1.layers.count }
      let passing =
        stage.store == nil || plan.weights.reads == .ring
        ? .zero : wanted * min(1, Double(plan.weights.prefetch + 1) / Double(layers))
      let fits = room >= wanted ? 1 : max(0, min(1, (room - passing) / wanted))
      let share: Double
      switch plan.weights.resident {
      case .share(let given): share = stage.store == nil ? 1 : given
      case .automatic: share = fits
      }
      // A circle of reads through a cache that is too small finds nothing in it.
      let kept = plan.weights.reads == .pageCache && share < 1 ? 0 : share
      guard kept >= 1 || stage.store != nil else {
        throw PlacementError.doesNotFit(
          what: "\(stage.layers.count) layers", place: names[stage.place] ?? "", needed: wanted, room: max(.zero, room),
          hint: "give the plan a 'weights.home' that they can be read from, or place fewer layers there")
      }
      return PlacedStage(place: stage.place, layers: stage.layers, resident: kept, store: stage.store)
    }

    private mutating func keep(_ size: Bytes, on place: Int, what: String) throws {
      guard let row = rows[place] else { return }
      guard size <= row.room else {
        throw PlacementError.doesNotFit(
          what: what, place: row.place, needed: size, room: max(.zero, row.room),
          hint: "choose a larger memory or drive for them, or a narrower format")
      }
      rows[place]?.weights += size
    }

    // MARK: Experts

    mutating func placeExperts() throws -> Double {
      guard let home = roles.expertsHome else { return 1 }
      let place = roles.stages[0].place
      let all = weights.experts * mainUnits
      guard all > .zero, let row = rows[place] else { return 1 }
      // The working set of two layers passes through the main memory.
      let passing = plan.experts.fetch == .there ? .zero : passingExperts * mainUnits
      let room = row.room - row.usable * plan.weights.setAside - passing
      let share: Double
      switch plan.experts.resident {
      case .share(let given): share = given
      case .automatic: share = max(0, min(1, room / all))
      }
      guard all * share + passing <= row.room else {
        throw PlacementError.doesNotFit(
          what: "experts and those on their way", place: row.place, needed: all * share + passing,
          room: max(.zero, row.room), hint: "lower 'experts.resident', or write 'auto'")
      }
      rows[place]?.experts = all * share
      rows[place]?.buffers += passing
      let rest = plan.experts.store == .spread || share < 1 ? all : .zero
      guard let homeRow = rows[home], rest <= homeRow.room else {
        throw PlacementError.doesNotFit(
          what: "experts", place: names[home] ?? "", needed: rest, room: max(.zero, rows[home]?.room ?? .zero),
          hint: "choose a system with more memory there, or a narrower format")
      }
      rows[home]?.experts = rest
      return share
    }

    /// Bytes of experts in flight on one device: those of a whole layer, or those a token names, of two layers.
    private var passingExperts: Bytes {
      let mixtures = parts.graph.model.decoder.runs.compactMap { run -> (MixtureOfExperts, Int)? in
        if case .mixture(let mixture)? = run.layer.feedForward { return (mixture, run.count) }
        return nil
      }
      guard let mixture = mixtures.first?.0 else { return .zero }
      let perLayer = weights.experts * (1 / Double(max(1, mixtures.reduce(0) { $0 + $1.1 })))
      let share =
        plan.experts.fetch == .all ? 1 : min(1, Double(mixture.expertsPerToken) / Double(mixture.experts))
      return perLayer * (2 * share)
    }

    // MARK: Cache

    /// Where the cache lies, and what of it passes through the main memory.
    mutating func placeCache() {
      guard let home = roles.kvHome else {
        for stage in roles.stages {
          let share = Double(stage.layers.count) / layers
          rows[stage.place]?.cacheShare += share
        }
        return
      }
      let stays = plan.attention.at == nil ? plan.kv.resident : 0
      let heads = parts.graph.kvHeads
      let unit = plan.kv.unit == .head ? Double(plan.kv.heads) / Double(max(1, heads)) : 1
      let buffer = plan.attention.at == nil ? min(1, Double(plan.kv.prefetch + 1) * unit / layers) : 0
      for stage in roles.stages {
        let share = (stays + (1 - stays) * buffer) * Double(stage.layers.count) / layers
        rows[stage.place]?.cacheShare += share
      }
      let away = (1 - stays) * plan.kv.copies
      rows[home]?.cacheShare += away
    }

    /// The least room that any place leaves, seen as cache of one main device.
    var cacheRoom: Bytes {
      roles.used.compactMap { rows[$0] }.filter { $0.cacheShare > 0 }
        .map { $0.room * (1 / ($0.cacheShare * mainUnits)) }.min() ?? .zero
    }
  }
}

extension OperatorGraph {
  /// KV heads of one device in the first attention layer; 1 for latent attention.
  package var kvHeads: Int {
    for run in model.decoder.runs {
      for case .attention(let attention) in run.layer.mixers {
        return max(1, attention.kvHeads.dividedUp(by: plan.parallelism.tensor))
      }
    }
    return 1
  }
}
