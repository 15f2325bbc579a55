import Hardware
import Quantities

/// What a transfer takes of each resource on its way, and how long it takes alone.
struct Route {
  private(set) var demands: [ResourceDemand] = []
  private(set) var latency = Seconds.zero
  private(set) var duration = Seconds.zero
  private(set) var energy = Joules.zero
  private(set) var component = 0
  /// What the wires on the way spend.
  private(set) var besides: [EnergyShare] = []
  /// The resource that it would wait for longest.
  private(set) var slowest = 0

  private let placement: Placement
  private var longest = 0.0

  init(_ load: StepBuilder.Load, _ hops: [Machine.Hop], _ placement: Placement) {
    self.placement = placement
    let bytes = load.bytes.value
    guard bytes > 0 || !hops.isEmpty else { return }
    leave(load, bytes)
    var current = load.from
    for hop in hops {
      cross(hop, from: current, bytes)
      if let through = hop.through {
        if through != load.to { stopOver(through, bytes) }
        current = through
      }
    }
    arrive(load, bytes)
    duration = Seconds(longest / efficiency(load, hops))
    duration = max(duration, randomReads(load)) + staging(load)
    spend(load)
  }

  private func site(_ place: Int) -> Site? { placement.map.sites[place] }

  private mutating func take(_ resource: Int, _ amount: Double) {
    demands.append(ResourceDemand(resource, amount))
    guard let capacity = placement.map.resources[resource].capacity, capacity > 0 else { return }
    let time = amount / capacity
    // Memories at the ends are rarely what is waited for; the first of equals is named.
    if time > longest || demands.count == 1 {
      longest = max(longest, time)
      slowest = resource
    }
  }

  private mutating func leave(_ load: StepBuilder.Load, _ bytes: Double) {
    guard let site = site(load.from) else { return }
    let each = bytes / Double(site.units)
    take(site.memory, each)
    if let flash = site.flash { take(flash, each * load.readFactor) }
    let drive = placement.machine.places[load.from].device.storage
    if let wait = drive?.readLatency { latency += wait }
  }

  private mutating func cross(_ hop: Machine.Hop, from place: Int, _ bytes: Double) {
    let wire = placement.machine.wires[hop.wire]
    // Two ports into one network are one way.
    if hop.through != nil { latency += wire.latency }
    // A wire is each first device's own.
    var owners = 1.0
    if case .place(let owner) = wire.from, let site = site(owner) { owners = Double(site.units) }
    take(hop.forward ? placement.map.forward[hop.wire] : placement.map.backward[hop.wire], bytes / owners)
    if let cost = wire.energy, let component = placement.map.wireComponents[hop.wire] {
      besides.append(EnergyShare(component, Bytes(bytes) * cost))
    }
    guard wire.usesPorts else { return }
    if let site = site(place), let port = site.portOut { take(port, bytes / Double(site.units)) }
    if let through = hop.through, let site = site(through), let port = site.portIn {
      take(port, bytes / Double(site.units))
    }
  }

  /// Through the memory of a host: written there and read again.
  private mutating func stopOver(_ place: Int, _ bytes: Double) {
    if let site = site(place) { take(site.memory, 2 * bytes / Double(site.units)) }
  }

  private mutating func arrive(_ load: StepBuilder.Load, _ bytes: Double) {
    guard let site = site(load.to) else { return }
    take(site.memory, bytes / Double(site.units))
  }

  private func efficiency(_ load: StepBuilder.Load, _ hops: [Machine.Hop]) -> Double {
    let places = placement.machine.places
    let copies = placement.plan.copies
    if places[load.from].node != places[load.to].node { return copies.network }
    return places[load.from].isDrive || places[load.to].isDrive ? copies.storage : copies.host
  }

  /// What a core takes to copy pages that may move into buffers that may not, before the link takes them.
  private func staging(_ load: StepBuilder.Load) -> Seconds {
    let places = placement.machine.places
    guard let rate = placement.plan.copies.staging, load.category != .message, places[load.from].device.kind == .cpu,
      let site = site(load.from)
    else { return .zero }
    return load.bytes / rate * (1 / Double(site.units))
  }

  /// Small reads are limited by their number a second, and by how many are under way at once.
  private func randomReads(_ load: StepBuilder.Load) -> Seconds {
    let place = placement.machine.places[load.from]
    guard let request = placement.plan.copies.request, let storage = place.device.storage, let site = site(load.from)
    else { return .zero }
    let each = load.bytes * (1 / Double(site.units))
    var rate = Double.infinity
    if let reads = storage.randomReadsPerSecond { rate = Double(reads) * request.value }
    if let depth = placement.plan.copies.queueDepth, let wait = storage.readLatency {
      rate = min(rate, Double(depth) * request.value / wait.value)
    }
    return Seconds(each.value / rate)
  }

  /// A drive at either end works at its full power; what a link itself draws is in no data sheet we have.
  private mutating func spend(_ load: StepBuilder.Load) {
    for place in [load.from, load.to] {
      guard placement.machine.places[place].isDrive, let site = site(place) else { continue }
      let power = placement.machine.places[place].device.power
      component = site.component
      energy = max(.zero, power.cap - power.idle) * Double(site.units) * duration
    }
  }
}
