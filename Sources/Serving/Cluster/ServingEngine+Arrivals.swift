import EventKernel
import Workloads

extension ServingEngine {
  /// Where a request goes.
  private enum Destination {
    case replica(Int)
    /// No replica that could take it is up.
    case nowhere
    case refused
  }

  mutating func arrive(_ request: Request, _ source: inout any RequestSource, _ observer: Observer) throws {
    var live = LiveRequest(id: arrived, request)
    metrics.arrive(request, id: arrived, at: now)
    arrived += 1
    live.predicted = predictor.predict(request)
    let destination = route(live, isNew: true)
    if case .refused = destination {
      try end(RequestRecord(live, .rejected, end: now), of: request, &source, observer)
      return
    }
    let row = table.add(live)
    scheduleGivingUp(row, request)
    send(row, to: destination)
  }

  /// A request whose replica has failed, or that waited for one to come up, goes to another.
  mutating func place(_ row: Int32) { send(row, to: route(table[row], isNew: false)) }

  /// Requests that no replica could take may find one now.
  mutating func placeWaiting() {
    let rows = unplaced
    unplaced.removeAll(keepingCapacity: true)
    for row in rows { place(row) }
  }

  private mutating func send(_ row: Int32, to destination: Destination) {
    guard case .replica(let index) = destination else {
      table[row].replica = -1
      unplaced.append(row)
      return
    }
    table[row].replica = Int32(index)
    pools[members[index].pool].arrivals += 1
    replicas[index].enqueue(row, now: now, table)
    metrics.peakWaiting = max(metrics.peakWaiting, replicas[index].waiting.count)
    proceed(index)
  }

  private mutating func scheduleGivingUp(_ row: Int32, _ request: Request) {
    let timeout = timeouts[Int(request.classIndex)]
    guard timeout != nil || request.patience != nil else { return }
    let generation = table[row].generation
    if let patience = request.patience, patience <= timeout ?? .max {
      schedule(.giveUp(row: row, generation: generation, .cancelled), at: request.arrival.adding(patience))
    } else if let timeout {
      schedule(.giveUp(row: row, generation: generation, .timedOut), at: request.arrival.adding(timeout))
    }
  }

  // MARK: Routing

  /// - Parameter isNew: Whether admission is asked.
  private mutating func route(_ live: LiveRequest, isNew: Bool) -> Destination {
    if isPlain { return replicas[0].limits.canServe(live.request) ? .replica(0) : .refused }
    guard findServers(live.request) else { return .refused }
    if !routing.showsAll(at: now) { gather(routing.takers, live.request) }
    guard routing.hasCandidates else { return .nowhere }
    if isNew, !routing.admission.takesAll {
      let view = replicas[0].ranking.view(live, generated: 0, computed: 0, now: now)
      guard routing.admits(view) else { return .refused }
    }
    let predicted = routing.lengths.predict(live.request)
    return .replica(routing.choose(RoutedRequest(live, predicted: predicted, now: now)))
  }

  /// Finds the pools that can hold a request; between prefill and decode, both sides must.
  /// - Returns: Whether there are any, up or not.
  private mutating func findServers(_ request: Request) -> Bool {
    var mixed = false
    var prefill = false
    var decode = false
    var all = true
    for index in pools.indices {
      let serves = pools[index].limits.canServe(request)
      routing.serves[index] = serves
      all = all && serves
      switch pools[index].role {
      case .mixed: mixed = mixed || serves
      case .prefill: prefill = prefill || serves
      case .decode: decode = decode || serves
      }
    }
    routing.allServe = all
    // Replicas that change sides must be able to hold it on either.
    if plan.flipping != nil { return all }
    guard transfers != nil, !decode else { return mixed || prefill }
    for index in pools.indices where pools[index].role == .prefill { routing.serves[index] = false }
    return mixed
  }

  private func isServed(by member: Int) -> Bool { pools.count == 1 || routing.serves[members[member].pool] }

  /// Puts the signals of those members that can hold a request into the candidates.
  private mutating func gather(_ indices: [Int], _ request: Request) {
    routing.clearCandidates()
    for index in indices where isServed(by: index) { addCandidate(index, request) }
  }

  /// Adds a member to the candidates, as it is shown.
  mutating func addCandidate(_ index: Int, _ request: Request) {
    if routing.age > 0 {
      routing.candidates.append(routing.shown[index])
      return
    }
    var signals = routing.signals[index]
    signals.time = now
    if !routing.needs.isEmpty { fill(&signals, request) }
    routing.candidates.append(signals)
  }

  private func fill(_ signals: inout ReplicaSignals, _ request: Request?) {
    let index = signals.replica
    if routing.needs.contains(.occupancy) {
      signals.occupancy = Double(replicas[index].usedBlocks(at: now)) / Double(replicas[index].limits.blocks)
    }
    if routing.needs.contains(.cachedTokens), let request {
      let found = replicas[index].pool.cache.match(request.prompt, atMost: request.inputTokens - 1)
      signals.cachedTokens = found.blocks * replicas[index].limits.blockSize
    }
  }

  /// Routers and admission see the replicas as they are now, until the next refresh.
  mutating func refreshSignals() {
    for index in members.indices {
      var signals = routing.signals[index]
      signals.time = now
      fill(&signals, nil)
      routing.shown[index] = signals
    }
  }
}
