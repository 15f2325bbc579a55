import EventKernel
import Execution
import Quantities
import Workloads

/// Replays traffic through a cluster of replicas, event by event.
///
/// Requests arrive, steps end, users give up. At equal times arrivals come first, so that the step formed then can admit
/// them. Same traffic, same bytes out.
package struct ServingEngine {
  /// What happens besides arrivals from the source and ends of steps.
  enum Event {
    /// A request that an ended one brought forth.
    case followUp(Request)
    case giveUp(row: Int32, generation: UInt32, RequestRecord.Outcome)
  }

  /// What the caller may do while a run goes on.
  package struct Observer {
    /// Called for every request that ends.
    package var onEnd: ((RequestRecord) throws -> Void)?
    /// Called now and then with the number of requests that have ended; false stops the run.
    package var shouldContinue: ((Int) -> Bool)?

    package init(
      onEnd: ((RequestRecord) throws -> Void)? = nil, shouldContinue: ((Int) -> Bool)? = nil
    ) {
      self.onEnd = onEnd
      self.shouldContinue = shouldContinue
    }
  }

  var plan: ClusterPlan
  var replicas: [Replica] = []
  var table = RequestTable()
  var queue = EventQueue<Event>()
  var stepEnds: Timers
  var metrics = ServingMetrics()
  var predictor: LengthPredictor
  var router: any Router
  var admission: any Admission
  var classes: [RequestClass] = [.standard]
  /// Of each class, in nanoseconds.
  private var timeouts: [Int64?] = []
  /// The next request of the source.
  var pending: Request?
  var now: Int64 = 0
  var arrived = 0
  var firstArrival: Int64 = 0
  /// When the last step ended, by replica and overall.
  var lastEnds: [Int64]
  var lastChange: Int64 = 0
  var idleNanoseconds: [Int64]
  /// By replica: time between engine and client.
  private let requestTimes: [RequestTime]
  /// Replicas that may begin a step once all that arrives now has arrived.
  private var ready: [Int] = []

  /// One replica, first come first served.
  /// - Throws: ``ReplayError`` or ``ServingError`` when the deployment cannot be replayed.
  package init(_ deployment: Deployment, limits: ServingLimits) throws {
    try self.init(ClusterPlan(ReplicaPlan(deployment, limits: limits)))
  }

  package init(_ plan: ClusterPlan) throws {
    self.plan = plan
    router = plan.router
    admission = plan.admission
    stepEnds = Timers(count: plan.replicas.count)
    predictor = LengthPredictor(plan.scheduler.lengths, seed: plan.seed)
    lastEnds = Array(repeating: 0, count: plan.replicas.count)
    idleNanoseconds = Array(repeating: 0, count: plan.replicas.count)
    requestTimes = plan.replicas.map(\.requestTime)
  }

  /// Runs until the traffic is served, or the observer stops it.
  /// - Throws: `DataError` from the traffic, or what the observer throws.
  package mutating func run(_ source: inout any RequestSource, observer: Observer = Observer()) throws -> ServingResult
  {
    try begin(&source)
    var events = 0
    var stopped = false
    while let time = nextTime {
      now = time
      try handleNext(&source, observer)
      if !ready.isEmpty, !arrivesNow { try startReady() }
      events += 1
      if events & 0xFFF == 0, observer.shouldContinue?(metrics.ended) == false {
        stopped = true
        break
      }
    }
    try reportUnfinished(observer)
    return result(interrupted: stopped)
  }

  private mutating func begin(_ source: inout any RequestSource) throws {
    classes = source.classes
    timeouts = classes.map { $0.timeout.map { Int64($0.value * 1e9) } }
    replicas = plan.replicas.indices.map { index in
      let item = plan.replicas[index]
      return Replica(
        limits: item.limits, costs: item.costs, scheduler: plan.scheduler, batching: item.batching,
        options: item.options, classes: classes, forest: source.forest, draftCosts: item.draftCosts, seed: plan.seed,
        index: index)
    }
    pending = try source.next()
    firstArrival = pending?.arrival.nanoseconds ?? 0
    lastChange = firstArrival
    for index in lastEnds.indices { lastEnds[index] = firstArrival }
  }

  // MARK: Events

  /// When the next event is due; nothing when all is served.
  private var nextTime: Int64? {
    var time = stepEnds.earliest.time
    if let arrival = pending?.arrival.nanoseconds, arrival < time { time = arrival }
    if let event = queue.nextTime?.nanoseconds, event < time { time = event }
    return time == Timers.never ? nil : time
  }

  /// Arrivals first, then other events, then ends of steps.
  private mutating func handleNext(_ source: inout any RequestSource, _ observer: Observer) throws {
    if let request = pending, request.arrival.nanoseconds == now {
      pending = try source.next()
      try arrive(request, &source, observer)
    } else if queue.nextTime?.nanoseconds == now, let event = queue.next() {
      try handle(event, &source, observer)
    } else {
      try endStep(stepEnds.earliest.owner, &source, observer)
    }
  }

  private mutating func handle(_ event: Event, _ source: inout any RequestSource, _ observer: Observer) throws {
    switch event {
    case .followUp(let request): try arrive(request, &source, observer)
    case .giveUp(let row, let generation, let outcome):
      try giveUp(row, generation, outcome, &source, observer)
    }
  }

  /// Whether a request arrives at this very moment; steps wait for it.
  private var arrivesNow: Bool {
    pending?.arrival.nanoseconds == now || queue.nextTime?.nanoseconds == now
  }

  // MARK: Arrivals

  private mutating func arrive(
    _ request: Request, _ source: inout any RequestSource, _ observer: Observer
  ) throws {
    var live = LiveRequest(id: arrived, request)
    arrived += 1
    live.predicted = predictor.predict(request)
    guard let replica = try route(live) else {
      try end(live, .rejected, completion: -1, &source, observer)
      return
    }
    live.replica = Int32(replica)
    let row = table.add(live)
    replicas[replica].enqueue(row, now: now, &table)
    metrics.peakWaiting = max(metrics.peakWaiting, replicas[replica].waiting.count)
    scheduleGivingUp(row, request)
    proceed(replica)
  }

  /// The replica that takes a request; nothing when none does.
  private mutating func route(_ live: LiveRequest) throws -> Int? {
    if replicas.count == 1, !admission.looksAtReplicas {
      return replicas[0].canServe(live.request) ? 0 : nil
    }
    let able = replicas.indices.filter { replicas[$0].canServe(live.request) }
    guard !able.isEmpty else { return nil }
    let signals = able.map { self.signals($0, live) }
    let view = replicas[able[0]].ranking.view(live, generated: 0, now: now)
    guard admission.admits(view, cluster: signals) else { return nil }
    guard able.count > 1 else { return able[0] }
    let routed = RoutedRequest(
      now: now, id: live.id, inputTokens: live.inputTokens, predictedTokens: live.predicted,
      session: live.request.session, stream: live.request.prompt.stream)
    return able[router.choose(routed, among: signals)]
  }

  private func signals(_ index: Int, _ live: LiveRequest) -> ReplicaSignals {
    let replica = replicas[index]
    return ReplicaSignals(
      replica: index, outstanding: replica.outstanding, waiting: replica.waiting.count, running: replica.running,
      waitingTokens: 0, cachedTokens: 0,
      occupancy: router.looksAtCaches ? Double(replica.usedBlocks(at: now)) / Double(replica.limits.blocks) : 0,
      price: 0, speed: 1)
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

  /// An event beyond the end of the clock never comes.
  private mutating func schedule(_ event: Event, at time: Instant?) {
    guard let time else { return }
    queue.schedule(event, at: max(time, Instant(nanoseconds: now)))
  }

  // MARK: Steps

  private mutating func endStep(_ index: Int, _ source: inout any RequestSource, _ observer: Observer) throws {
    replicas[index].endStep(now: now, &table, &metrics)
    stepEnds.set(index, at: Timers.never)
    lastEnds[index] = now
    lastChange = now
    for row in replicas[index].ended { try finish(row, &source, observer) }
    if !replicas[index].retired.isEmpty { freeRetired(index) }
    proceed(index)
  }

  private mutating func freeRetired(_ index: Int) {
    for row in replicas[index].retired { table.remove(row) }
    replicas[index].retired.removeAll(keepingCapacity: true)
  }

  /// A replica may begin its next step, or the one in progress may end sooner than it was to.
  private mutating func proceed(_ index: Int) {
    if replicas[index].clock.isBusy {
      stepEnds.set(index, at: replicas[index].clock.end)
    } else if !ready.contains(index) {
      ready.append(index)
    }
  }

  private mutating func startReady() throws {
    for index in ready where replicas[index].beginStep(now: now, &table) {
      guard !replicas[index].clock.isBeyondClock else { throw ServingError.beyondClock }
      idleNanoseconds[index] += now - lastEnds[index]
      stepEnds.set(index, at: replicas[index].clock.end)
    }
    ready.removeAll(keepingCapacity: true)
  }

  // MARK: Ends

  /// One answer is whole or given up; a request of several samples ends with the last of them.
  private mutating func finish(_ row: Int32, _ source: inout any RequestSource, _ observer: Observer) throws {
    let family = table[row].family
    guard family < 0 else { return try finishSample(row, family, &source, observer) }
    try report(row, &source, observer)
    remove(row)
  }

  private mutating func finishSample(
    _ row: Int32, _ family: Int32, _ source: inout any RequestSource, _ observer: Observer
  ) throws {
    table[family].openSamples -= 1
    let isLast = table[family].openSamples == 0
    if row != family { remove(row) }
    guard isLast else { return }
    try report(family, &source, observer)
    remove(family)
  }

  /// A row is free unless a place in a line, or in a static batch, still refers to it.
  private mutating func remove(_ row: Int32) {
    if table[row].isInLine || table[row].isPadding { table[row].phase = .ended } else { table.remove(row) }
  }

  private mutating func report(_ row: Int32, _ source: inout any RequestSource, _ observer: Observer) throws {
    let live = table[row]
    let outcome = live.givenUpAs ?? .completed
    try end(live, outcome, completion: outcome == .completed ? now : -1, &source, observer)
  }

  private mutating func end(
    _ live: LiveRequest, _ outcome: RequestRecord.Outcome, completion: Int64, _ source: inout any RequestSource,
    _ observer: Observer
  ) throws {
    var record = RequestRecord(live, outcome, completion: completion)
    let delay = live.replica < 0 ? 0 : requestTimes[Int(live.replica)].nanoseconds(inputTokens: live.inputTokens)
    record.delay(by: delay)
    metrics.add(record)
    try observer.onEnd?(record)
    let next = source.followUp(
      after: live.request, endedAt: Instant(nanoseconds: now + delay), completed: outcome == .completed)
    if let next { schedule(.followUp(next), at: next.arrival) }
  }

  private mutating func giveUp(
    _ row: Int32, _ generation: UInt32, _ outcome: RequestRecord.Outcome, _ source: inout any RequestSource,
    _ observer: Observer
  ) throws {
    guard table[row].generation == generation, table[row].phase != .ended else { return }
    let index = Int(table[row].replica)
    let members = table[row].family < 0 ? [row] : table.family(row)
    for member in members where table[member].givenUpAs == nil {
      table[member].givenUpAs = outcome
      if replicas[index].giveUp(member, now: now, &table) { try finish(member, &source, observer) }
    }
    proceed(index)
  }

  // MARK: The end of the run

  private mutating func reportUnfinished(_ observer: Observer) throws {
    var rows = table.rows.indices.map { Int32($0) }.filter { row in
      table[row].phase != .ended && (table[row].family < 0 || table[row].family == row)
    }
    rows.sort { table[$0].id < table[$1].id }
    for row in rows {
      let record = RequestRecord(table[row], .unfinished)
      metrics.add(record)
      try observer.onEnd?(record)
    }
  }

  private func result(interrupted: Bool) -> ServingResult {
    var idle = Joules.zero
    for index in replicas.indices {
      let rest = replicas[index].clock.isBusy ? 0 : lastChange - lastEnds[index]
      idle += plan.replicas[index].idlePower * Seconds(Double(idleNanoseconds[index] + rest) / 1e9)
    }
    return ServingResult(
      metrics: metrics, replicas: plan.replicas.count, blocks: replicas.reduce(0) { $0 + $1.limits.blocks },
      counts: replicas.reduce(into: ReplicaCounts()) { $0.add($1.counts) }, classes: classes, arrived: arrived,
      firstArrival: firstArrival, end: lastChange, idleEnergy: idle, interrupted: interrupted)
  }
}
