import DequeModule
import EventKernel
import Execution
import Quantities
import Statistics
import Workloads

/// Replays traffic through a cluster of replicas, event by event.
///
/// Requests arrive, steps end, users give up, caches move, replicas come and go. At equal times arrivals come first, so
/// that the step formed then can admit them; then what users do, ends of transfers, what happens to replicas, and ends of
/// steps. Same traffic, same bytes out.
package struct ServingEngine {
  /// What happens to requests besides arrivals from the source and ends of steps.
  enum Event {
    /// A request that an ended one brought forth.
    case followUp(Request)
    case giveUp(row: Int32, generation: UInt32, RequestRecord.Outcome)
    /// The last byte of a cache is there.
    case delivered(row: Int32, move: Int)
  }

  /// What the caller may do while a run goes on.
  package struct Observer {
    /// Called for every request that ends.
    package var onEnd: ((RequestRecord) throws -> Void)?
    /// Called for every step, or for decode steps taken at once, when they end.
    package var onStep: ((StepReport) throws -> Void)?
    /// Called with the state of the cluster at the first arrival and every so often after it.
    package var onSample: ((SeriesSample) throws -> Void)?
    package var sampleInterval = Seconds(1.0)
    /// Called now and then with the number of requests that have ended; false stops the run.
    package var shouldContinue: ((Int) -> Bool)?

    package init(
      onEnd: ((RequestRecord) throws -> Void)? = nil, shouldContinue: ((Int) -> Bool)? = nil
    ) {
      self.onEnd = onEnd
      self.shouldContinue = shouldContinue
    }
  }

  let plan: ClusterPlan
  var replicas = FixedArray<Replica>([])
  let members: FixedArray<Member>
  let pools: FixedArray<Pool>
  let table = RequestTable()
  var metrics = ServingMetrics()
  var cluster = ClusterCounts()
  let measurement: MeasurementOptions
  /// Samples for the observer, and when the next is due; never when it wants none.
  var sampler: SeriesSampler?
  var nextSample = Int64.max
  /// By replica; empty unless deadlines of first tokens follow from them.
  var unloaded: [UnloadedTime] = []
  var predictor: LengthPredictor
  var classes: [RequestClass] = [.standard]
  /// Of each class, in nanoseconds.
  var timeouts: [Int64?] = []

  // Events.
  var queue = EventQueue<Event>()
  var fleetEvents = EventQueue<FleetEvent>()
  var stepEnds: Timers
  /// The next request of the source, and those that ended ones have brought forth.
  var pending: Request?
  var followUps = 0
  var now: Int64 = 0
  var arrived = 0
  var ended = 0
  var firstArrival: Int64 = 0
  var lastChange: Int64 = 0
  /// Replicas that may begin a step once all that arrives now has arrived.
  private let ready = ReusableStack<Int>()

  var routing: Routing
  /// Nothing in a cluster without decode replicas.
  var transfers: Transfers?
  /// Requests that no replica can take now.
  var unplaced: Deque<Int32> = []
  /// When a replica last changed its role.
  var lastFlip: Int64 = .min / 2
  /// By replica, time between engine and client; empty where there is none anywhere.
  let requestTimes: [RequestTime]
  /// One replica that is always there takes everything.
  let isPlain: Bool
  /// Whether prompts and answers are computed apart.
  let isSplit: Bool
  /// Whether any replica has pipeline stages; asking a replica itself would copy it.
  let hasStages: Bool

  /// One replica, first come first served.
  /// - Throws: ``ReplayError`` or ``ServingError`` when the deployment cannot be replayed.
  package init(
    _ deployment: Deployment, limits: ServingLimits, measuring measurement: MeasurementOptions = MeasurementOptions()
  ) throws {
    try self.init(ClusterPlan(ReplicaPlan(deployment, limits: limits)), measuring: measurement)
  }

  /// - Throws: ``ClusterPlanError``, naming the field, for a plan that cannot be.
  package init(_ plan: ClusterPlan, measuring measurement: MeasurementOptions = MeasurementOptions()) throws {
    try plan.check()
    self.plan = plan
    self.measurement = measurement
    var members: [Member] = []
    let pools = plan.pools.enumerated().map { index, pool in
      let first = members.count
      members += Array(repeating: Member(pool: index), count: pool.most)
      return Pool(pool, members: first..<members.count)
    }
    self.pools = FixedArray(pools)
    self.members = FixedArray(members)
    stepEnds = Timers(count: members.count)
    predictor = LengthPredictor(plan.scheduler.lengths, seed: plan.seed)
    routing = Routing(plan, members)
    transfers = try plan.isSplit ? Transfers(plan, members) : nil
    // Requests come in where their prompts run.
    let entry = plan.pools.first { $0.role == .prefill }?.replica.requestTime
    let times = members.map { member in
      let pool = plan.pools[member.pool]
      return pool.role == .decode ? entry ?? pool.replica.requestTime : pool.replica.requestTime
    }
    requestTimes = times.allSatisfy(\.isNone) ? [] : times
    isSplit = plan.isSplit
    hasStages = plan.pools.contains { $0.replica.stages != nil }
    isPlain = members.count == 1 && plan.admission.takesAll && plan.pools[0].failures == nil
  }

  /// Runs until the traffic is served, or the observer stops it.
  /// - Throws: `DataError` from the traffic, or what the observer throws.
  package mutating func run(_ source: inout any RequestSource, observer: Observer = Observer()) throws -> ServingResult
  {
    try begin(&source, observer)
    var events = 0
    var stopped = false
    while try advance(&source, observer) {
      events += 1
      if events & 0xFFF == 0, observer.shouldContinue?(metrics.ended) == false {
        stopped = true
        break
      }
    }
    try reportUnfinished(observer)
    metrics.tenants?.finish()
    return result(interrupted: stopped)
  }

  /// Handles the next event, and begins the steps that can begin with it.
  /// - Returns: False when all is served.
  mutating func advance(_ source: inout any RequestSource, _ observer: Observer) throws -> Bool {
    guard let time = nextTime else { return false }
    if time > nextSample { try sample(before: time, observer) }
    now = time
    try handleNext(&source, observer)
    if !ready.isEmpty, !arrivesNow { try startReady() }
    return true
  }

  mutating func begin(_ source: inout any RequestSource, _ observer: Observer) throws {
    classes = source.classes
    metrics = ServingMetrics(classes, measurement)
    timeouts = classes.map { $0.timeout.map { Int64(min(4e18, $0.value * 1e9)) } }
    let replicas = members.indices.map { index in
      let item = plan.pools[members[index].pool].replica
      var options = item.options
      options.measuresPromptRate = plan.admission.looksAtPromptRates
      var replica = Replica(
        limits: item.limits, costs: item.costs, scheduler: plan.scheduler, batching: item.batching, options: options,
        classes: classes, forest: source.forest, draftCosts: item.draftCosts, stages: item.stages, seed: plan.seed,
        index: index)
      replica.heat = ReplicaHeat(item)
      return replica
    }
    self.replicas = FixedArray(replicas)
    pending = try source.next()
    firstArrival = pending?.arrival.nanoseconds ?? 0
    now = firstArrival
    lastChange = firstArrival
    try beginFleet()
    metrics.begin(at: firstArrival)
    if observer.onSample != nil {
      sampler = SeriesSampler(every: observer.sampleInterval)
      nextSample = firstArrival
    }
    if measurement.fluidity != nil { followTokens() }
  }

  private mutating func followTokens() {
    table.trails = TokenTrails()
    for index in replicas.indices { replicas[index].logSteps() }
    if case .unloaded = measurement.fluidity?.firstToken { unloaded = replicas.map { UnloadedTime($0) } }
  }

  // MARK: Events

  /// When the next event is due; nothing when all is served.
  private var nextTime: Int64? {
    var time = stepEnds.earliest.time
    if let arrival = pending?.arrival.nanoseconds, arrival < time { time = arrival }
    if let event = queue.nextTime?.nanoseconds, event < time { time = event }
    if isSplit, let links = transfers?.alarms.earliest.time, links < time { time = links }
    if let event = fleetEvents.nextTime?.nanoseconds, event < time, hasWork { time = event }
    return time == Timers.never ? nil : time
  }

  /// Whether anybody is served, or will be; what happens to replicas afterwards is no part of the run.
  var hasWork: Bool { ended < arrived || pending != nil || followUps > 0 }

  /// Arrivals first, then other events, then ends of steps.
  private mutating func handleNext(_ source: inout any RequestSource, _ observer: Observer) throws {
    if let request = pending, request.arrival.nanoseconds == now {
      pending = try source.next()
      if pending == nil { settleService() }
      try arrive(request, &source, observer)
    } else if queue.nextTime?.nanoseconds == now, let event = queue.next() {
      try handle(event, &source, observer)
    } else if let link = transfers?.alarms.earliest, link.time == now {
      try endTransfers(on: link.owner, &source, observer)
    } else if fleetEvents.nextTime?.nanoseconds == now, hasWork, let event = fleetEvents.next() {
      try handle(event, &source, observer)
    } else {
      try endStep(stepEnds.earliest.owner, &source, observer)
    }
  }

  private mutating func handle(_ event: Event, _ source: inout any RequestSource, _ observer: Observer) throws {
    switch event {
    case .followUp(let request):
      followUps -= 1
      metrics.tenants?.unsettle()
      try arrive(request, &source, observer)
    case .giveUp(let row, let generation, let outcome):
      guard table[row].generation == generation, table[row].phase != .ended else { return }
      try giveUp(row, outcome, &source, observer)
    case .delivered(let row, let move): try deliver(row, move, &source, observer)
    }
  }

  /// Whether a request arrives at this very moment, or something else happens that steps wait for.
  private var arrivesNow: Bool {
    pending?.arrival.nanoseconds == now || queue.nextTime?.nanoseconds == now
      || isSplit && transfers?.alarms.earliest.time == now || fleetEvents.nextTime?.nanoseconds == now && hasWork
  }

  /// An event beyond the end of the clock never comes.
  mutating func schedule(_ event: Event, at time: Instant?) {
    guard let time else { return }
    if case .followUp = event { followUps += 1 }
    queue.schedule(event, at: max(time, Instant(nanoseconds: now)))
  }

  // MARK: Steps

  private mutating func endStep(_ index: Int, _ source: inout any RequestSource, _ observer: Observer) throws {
    if hasStages, !replicas[index].turnToEnding(now: now) { return proceed(index) }
    if let onStep = observer.onStep { try onStep(StepReport(index, replicas[index])) }
    replicas[index].endStep(now: now, table, &metrics)
    stepEnds.set(index, at: Timers.never)
    members[index].lastEnd = now
    lastChange = now
    var place = 0
    while place < replicas[index].ended.count {
      try finish(replicas[index].ended[place], &source, observer)
      place += 1
    }
    if !replicas[index].retired.isEmpty { freeRetired(index) }
    if isSplit { try moveOn(from: index, &source, observer) }
    proceed(index)
  }

  mutating func freeRetired(_ index: Int) {
    for row in replicas[index].retired {
      table[row].isPadding = false
      // The first sample of a prompt stands for all of them until the last one ends.
      if table[row].phase == .ended { table.remove(row) }
    }
    replicas[index].retired.removeAll(keepingCapacity: true)
  }

  /// A replica may begin its next step, or the one in progress may end sooner than it was to.
  mutating func proceed(_ index: Int) {
    note(index)
    if hasStages, replicas[index].pipeline != nil { return proceedStaged(index) }
    if replicas[index].batch.clock.isBusy {
      stepEnds.set(index, at: replicas[index].batch.clock.end)
    } else if !ready.contains(index) {
      ready.append(index)
    }
  }

  /// The same of a replica whose first stage may be free while others work.
  private mutating func proceedStaged(_ index: Int) {
    stepEnds.set(index, at: replicas[index].nextAlarm(after: now) ?? Timers.never)
    if replicas[index].mayBegin(now: now) || !replicas[index].isBusy, !ready.contains(index) { ready.append(index) }
  }

  private mutating func startReady() throws {
    while !ready.isEmpty {
      // It may become ready again by what the others do.
      let index = ready.removeFirst()
      try start(index)
    }
  }

  private mutating func start(_ index: Int) throws {
    let isStaged = hasStages && replicas[index].pipeline != nil
    let wasBusy = isStaged && replicas[index].isBusy
    if replicas[index].beginStep(now: now, table) {
      guard !replicas[index].batch.clock.isBeyondClock else { throw ServingError.beyondClock }
      if !wasBusy { members[index].idleNanoseconds += now - members[index].lastEnd }
      if isStaged {
        proceedStaged(index)
      } else {
        stepEnds.set(index, at: replicas[index].batch.clock.end)
      }
      note(index)
    } else if case .draining = members[index].state {
      try settleDraining(index)
    }
  }
}
