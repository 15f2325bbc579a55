import EventKernel
import Workloads

extension ServingEngine {
  /// Switches on the replicas that are there at the start, and sets the clocks of what happens to them.
  mutating func beginFleet() throws {
    for pool in pools.indices {
      for index in pools[pool].members.prefix(pools[pool].plan.count) {
        members[index].switchOn(now: now)
        try comeUp(index)
      }
      try listOutages(pool)
      if let scaling = pools[pool].plan.autoscaling { try schedule(.scale(pool: pool), after: scaling.interval.value) }
    }
    if let flipping = plan.flipping { try schedule(.balance, after: flipping.interval.value) }
    guard routing.age > 0 else { return }
    refreshSignals()
    try schedule(.refresh, afterNanoseconds: routing.age)
  }

  private mutating func listOutages(_ pool: Int) throws {
    guard case .listed(let outages)? = pools[pool].plan.failures?.times else { return }
    for outage in outages {
      let index = pools[pool].members.lowerBound + outage.replica
      try schedule(.outage(index, repair: Int64(outage.repair.value * 1e9)), after: outage.at.value)
    }
  }

  private mutating func schedule(_ event: FleetEvent, after seconds: Double) throws {
    try schedule(event, afterNanoseconds: Int64((seconds * 1e9).rounded()))
  }

  private mutating func schedule(_ event: FleetEvent, afterNanoseconds time: Int64) throws {
    guard let time = Instant(nanoseconds: now).adding(time) else { throw ServingError.beyondClock }
    fleetEvents.schedule(event, at: time)
  }

  mutating func handle(_ event: FleetEvent, _ source: inout any RequestSource, _ observer: Observer) throws {
    switch event {
    case .refresh:
      refreshSignals()
      try schedule(.refresh, afterNanoseconds: untilNextRefresh)
    case .scale(let pool): try scale(pool)
    case .balance: try balance()
    case .started(let index, let life):
      if members[index].life == life { try comeUp(index) }
    case .failed(let index, let life):
      guard members[index].life == life else { return }
      try fail(index, repair: drawnRepair(index), &source, observer)
    case .outage(let index, let repair):
      if members[index].isOn { try fail(index, repair: repair, &source, observer) }
    case .repaired(let index, let life):
      if members[index].life == life { try switchOn(index) }
    }
  }

  /// Refreshes that nobody would notice are left out: nothing changes while nobody is there.
  private var untilNextRefresh: Int64 {
    guard ended == arrived else { return routing.age }
    var next = pending?.arrival.nanoseconds ?? .max
    if let event = queue.nextTime?.nanoseconds { next = min(next, event) }
    guard next < .max else { return routing.age }
    return max(1, (next - now) / routing.age) * routing.age
  }

  // MARK: On and off

  /// A replica is switched on; it takes requests when it has started up.
  private mutating func switchOn(_ index: Int) throws {
    members[index].switchOn(now: now)
    members[index].state = .starting
    let startUp = pools[members[index].pool].plan.startUp
    if startUp == .zero {
      try comeUp(index)
    } else {
      try schedule(.started(index, life: members[index].life), after: startUp.value)
    }
  }

  private mutating func comeUp(_ index: Int) throws {
    members[index].state = .up
    if case .random(let meanUpTime, _)? = pools[members[index].pool].plan.failures?.times {
      let time = exponential(index) * meanUpTime.value
      try schedule(.failed(index, life: members[index].life), after: time)
    }
    listTakers()
  }

  private mutating func drawnRepair(_ index: Int) -> Int64 {
    guard case .random(_, let meanRepair)? = pools[members[index].pool].plan.failures?.times else { return 0 }
    return Int64((exponential(index) * meanRepair.value * 1e9).rounded())
  }

  private mutating func exponential(_ index: Int) -> Double {
    if members[index].failures == nil {
      members[index].failures = RandomStream(seed: plan.seed, name: "serving.failures.\(index)")
    }
    return members[index].failures?.exponential() ?? 1
  }

  /// Finds out who takes requests, and lets those that wait for somebody have a look.
  private mutating func listTakers() {
    let up = members.indices.filter { members[$0].state == .up }
    routing.takers = up.filter { replicas[$0].role != .decode }
    routing.decoders = up.filter { replicas[$0].role == .decode }
    if !unplaced.isEmpty { placeWaiting() }
    if transfers != nil { dispatch() }
  }

  /// A replica takes no more requests.
  private mutating func drain(_ index: Int, then afterwards: Member.Afterwards) throws {
    members[index].state = .draining(afterwards)
    listTakers()
    try settleDraining(index)
  }

  /// A draining replica that has nothing left goes off, or changes its role.
  mutating func settleDraining(_ index: Int) throws {
    guard case .draining(let afterwards) = members[index].state, replicas[index].isIdle,
      replicas[index].departing.isEmpty, members[index].incoming == 0, !replicas[index].isBusy
    else { return }
    replicas[index].forgetCaches()
    switch afterwards {
    case .off:
      members[index].switchOff(now: now, .off)
      cluster.stops += 1
    case .role(let role):
      replicas[index].role = role
      members[index].state = .up
      cluster.flips += 1
      lastFlip = now
      listTakers()
    }
  }

  // MARK: Failures

  /// A replica fails: the step in progress and every cache are lost, and its requests go elsewhere.
  private mutating func fail(
    _ index: Int, repair: Int64, _ source: inout any RequestSource, _ observer: Observer
  ) throws {
    cluster.failures += 1
    lastChange = now
    let drains = members[index].state
    if replicas[index].isBusy { members[index].lastEnd = now }
    members[index].switchOff(now: now, .failed)
    try loseTransfers(index, &source, observer)
    let rows = replicas[index].fail(now: now, table, &metrics)
    freeRetired(index)
    stepEnds.set(index, at: Timers.never)
    note(index)
    switch drains {
    case .draining(.off): members[index].state = .off
    case .draining(.role(let role)):
      replicas[index].role = role
      cluster.flips += 1
      lastFlip = now
      fallthrough
    default: try schedule(.repaired(index, life: members[index].life), afterNanoseconds: repair)
    }
    listTakers()
    // Those that nobody wants any more end first; a sample that fails for good takes the others with it.
    for row in rows { table[row].replica = -1 }
    let (lost, unwanted) = (rows.filter { table[$0].givenUpAs == nil }, rows.filter { table[$0].givenUpAs != nil })
    for row in unwanted { try finish(row, &source, observer) }
    for row in lost where table[row].givenUpAs == nil { try retry(row, after: index, &source, observer) }
    if transfers != nil { dispatch() }
  }

  /// A request that lost its replica is routed again, unless that happened too often.
  private mutating func retry(
    _ row: Int32, after index: Int, _ source: inout any RequestSource, _ observer: Observer
  ) throws {
    guard table[row].retries < pools[members[index].pool].plan.failures?.retries ?? 0 else {
      try giveUp(row, .failed, &source, observer)
      return
    }
    table[row].retries += 1
    cluster.retries += 1
    place(row)
  }

  /// Caches on their way to a failed replica wait again where they are; those from it are lost with it.
  private mutating func loseTransfers(
    _ index: Int, _ source: inout any RequestSource, _ observer: Observer
  ) throws {
    guard transfers != nil else { return }
    let lost = transfers?.cancel(now: now) { $0.from == index || $0.to == index } ?? []
    var back: [Int32] = []
    for (row, move, carried) in lost {
      // Bytes that had left the link are booked as sent already.
      if carried < move.bytes { cluster.bytesSent += carried }
      cluster.bytesLost += carried
      members[move.to].incoming -= 1
      replicas[move.to].giveBack(move.blocks)
      proceed(move.to)
      guard move.to == index else { continue }
      if table[row].givenUpAs == nil { back.append(row) } else { try leave(row, &source, observer) }
    }
    transfers?.waitFirst(back)
    for row in replicas[index].departing { transfers?.forget(row) }
  }

  // MARK: Scaling

  private mutating func scale(_ pool: Int) throws {
    guard let scaling = pools[pool].plan.autoscaling else { return }
    try schedule(.scale(pool: pool), after: scaling.interval.value)
    let view = view(of: pool, interval: scaling.interval.value)
    pools[pool].arrivals = 0
    let wanted = pools[pool].scaler?.replicas(view) ?? view.up
    let count = min(max(wanted, scaling.least), scaling.most)
    let present = view.up + view.starting
    if count > present {
      try grow(pool, by: count - present)
    } else if count < present, now - pools[pool].lastChange >= Int64(scaling.coolDown.value * 1e9) {
      try shrink(pool, by: present - count)
    }
  }

  private func view(of pool: Int, interval: Double) -> PoolView {
    let isDecode = pools[pool].plan.role == .decode
    let without = isDecode ? transfers?.waiting.count ?? 0 : unplaced.count
    var view = PoolView(
      interval: interval, up: 0, starting: 0, outstanding: without, waiting: without, occupancy: 0,
      arrivals: pools[pool].arrivals)
    var used = 0
    var blocks = 0
    for index in pools[pool].members where members[index].isOn {
      if members[index].state == .starting { view.starting += 1 }
      view.outstanding += replicas[index].outstanding
      view.waiting += replicas[index].waiting.count + replicas[index].received.count
      guard members[index].state == .up else { continue }
      view.up += 1
      used += replicas[index].usedBlocks(at: now)
      blocks += replicas[index].limits.blocks
    }
    view.occupancy = blocks > 0 ? Double(used) / Double(blocks) : 0
    return view
  }

  /// Replicas that were to go stay; then others are switched on.
  private mutating func grow(_ pool: Int, by count: Int) throws {
    var left = count
    for index in pools[pool].members where left > 0 && members[index].state == .draining(.off) {
      members[index].state = .up
      left -= 1
    }
    for index in pools[pool].members where left > 0 && members[index].state == .off {
      cluster.starts += 1
      try switchOn(index)
      left -= 1
    }
    if left < count { pools[pool].lastChange = now }
    listTakers()
  }

  /// Replicas that are still starting go first, then those with the fewest requests.
  private mutating func shrink(_ pool: Int, by count: Int) throws {
    let starting = pools[pool].members.reversed().filter { members[$0].state == .starting }
    let up = pools[pool].members.reversed().filter { members[$0].state == .up }
    let order = starting + up.sorted { replicas[$0].outstanding < replicas[$1].outstanding }
    for index in order.prefix(count) {
      members[index].state = .draining(.off)
      try drain(index, then: .off)
    }
    pools[pool].lastChange = now
  }

  // MARK: Flipping

  private mutating func balance() throws {
    guard let flipping = plan.flipping else { return }
    try schedule(.balance, after: flipping.interval.value)
    guard now - lastFlip >= Int64(flipping.coolDown.value * 1e9), !members.contains(where: \.isFlipping) else { return }
    let prefills = routing.takers.filter { replicas[$0].role == .prefill }
    let decoders = routing.decoders
    let prompts = prefills.reduce(unplaced.count) { $0 + replicas[$1].waiting.count }
    let caches = decoders.reduce(transfers?.waiting.count ?? 0) { $0 + replicas[$1].received.count }
    let before = Double(prompts) / Double(max(1, prefills.count))
    let behind = Double(caches) / Double(max(1, decoders.count))
    if before > flipping.threshold * max(1, behind), decoders.count > 1 {
      try drain(leastBusy(decoders), then: .role(.prefill))
    } else if behind > flipping.threshold * max(1, before), prefills.count > 1 {
      try drain(leastBusy(prefills), then: .role(.decode))
    }
  }

  private func leastBusy(_ indices: [Int]) -> Int {
    indices.min { replicas[$0].outstanding < replicas[$1].outstanding } ?? 0
  }
}
