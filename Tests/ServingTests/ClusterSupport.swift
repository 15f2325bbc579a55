import EventKernel
import Execution
import Quantities
import Testing
import Workloads

@testable import Serving

/// Requests from an array, with classes and streams.
struct FullSource: RequestSource {
  var requests: ArraySlice<Request>
  var classes: [RequestClass] = [.standard]
  var forest: PrefixForest?
  var count: Int? { requests.count }

  mutating func next() -> Request? { requests.popFirst() }
}

/// A run of a cluster with everything it reported.
struct ClusterRun {
  var result: ServingResult
  var records: [RequestRecord] = []

  var completed: [RequestRecord] { records.filter { $0.outcome == .completed } }
  var lines: [String] { records.map { "\($0.line) at \($0.replica) retries \($0.retries)" } }

  init(_ plan: ClusterPlan, _ requests: [Request]) throws {
    try self.init(plan, FullSource(requests: requests[...]))
  }

  init(_ plan: ClusterPlan, _ source: any RequestSource) throws {
    var engine = try ServingEngine(plan)
    var source = source
    var records: [RequestRecord] = []
    result = try engine.run(&source, observer: .init(onEnd: { records.append($0) }))
    self.records = records
  }

  /// Drives a run event by event, with a look at the engine after each.
  init(_ plan: ClusterPlan, _ source: any RequestSource, afterEach check: (ServingEngine) throws -> Void) throws {
    var engine = try ServingEngine(plan)
    var source = source
    var records: [RequestRecord] = []
    let observer = ServingEngine.Observer(onEnd: { records.append($0) })
    try engine.begin(&source, observer)
    while try engine.advance(&source, observer) { try check(engine) }
    try engine.reportUnfinished(observer)
    result = engine.result(interrupted: false)
    self.records = records
  }
}

extension ServingEngine {
  /// What every cluster must hold at every event.
  func checkInvariants(_ comment: @autoclosure () -> String) throws {
    var reserved = Array(repeating: 0, count: replicas.count)
    for move in transfers?.moves.values.map({ $0 }) ?? [] { reserved[move.to] += move.blocks }
    for index in replicas.indices {
      let replica = replicas[index]
      let held = replica.heldBlocks(table)
      try #require(held + reserved[index] == replica.usedBlocks, "blocks at \(index), \(comment())")
      try #require(replica.freeBlocks >= 0, "\(comment())")
      try #require(replica.running <= replica.limits.maxSequences, "\(comment())")
      if !members[index].isOn { try #require(replica.usedBlocks == 0 && replica.isIdle, "\(comment())") }
      let here = replica.slots.filter { $0 >= 0 } + replica.received + replica.departing
      try #require(Set(here).count == here.count, "\(comment())")
      for row in here where !table[row].isPadding {
        try #require(Int(table[row].replica) == index, "row \(row) is at two places, \(comment())")
      }
    }
    try #require(cluster.bytesReceived + cluster.bytesLost <= cluster.bytesSent, "\(comment())")
  }
}

/// A random cluster under a random small load: any router, autoscaler, failures, disaggregation, old signals.
struct ClusterScenario: CustomStringConvertible {
  let seed: Int
  let plan: ClusterPlan
  let requests: [Request]
  let classes: [RequestClass]
  let streams: [(parent: Int, fork: Int)]
  let description: String

  init(seed: Int, stages: Int = 1) throws {
    self.seed = seed
    let base = try Scenario(seed: seed, stages: stages)
    var random = RandomStream(seed: UInt64(seed), name: "cluster-scenario")
    func pick<T>(_ items: [T]) -> T { items[random.integer(below: items.count)] }
    var words: [String] = ["\(base)"]
    func replica(_ role: ReplicaOptions.Role) throws -> ReplicaPlan {
      var options = ReplicaOptions()
      options.role = role
      options.prefixCache = random.integer(below: 2) == 0
      options.takesManySteps = random.integer(below: 4) > 0
      if random.integer(below: 4) == 0 {
        options.preemption = .swap
        options.swapBlocks = 30
        options.swapTime = Seconds(1e-5)
      }
      var limits = base.limits
      limits.blocks += random.integer(below: 20)
      return try ReplicaPlan(base.deployment, limits: limits, options: options)
    }
    let split = random.integer(below: 2) == 0
    var pools = [PoolPlan(name: "a", try replica(split ? .prefill : .mixed), count: 1 + random.integer(below: 4))]
    if split { pools.append(PoolPlan(name: "b", try replica(.decode), count: 1 + random.integer(below: 3))) }
    if random.integer(below: 3) == 0 {
      pools.append(PoolPlan(name: "c", try replica(.mixed), count: 1 + random.integer(below: 2)))
    }
    let unit = base.clock == .even ? 1e-3 : 1e-5
    let flips = split && random.integer(below: 3) == 0
    for index in pools.indices {
      if random.integer(below: 2) == 0 { pools[index].startUp = Seconds(unit * Double(random.integer(below: 20))) }
      switch random.integer(below: 4) {
      case 0:
        pools[index].failures = FailurePlan(
          .random(meanUpTime: Seconds(unit * 40), meanRepair: Seconds(unit * 10)), retries: random.integer(below: 5))
      case 1:
        let outages = (0..<random.integer(below: 4)).map { _ in
          FailurePlan.Outage(
            replica: random.integer(below: pools[index].count), at: Seconds(unit * Double(random.integer(below: 60))),
            repair: Seconds(unit * Double(random.integer(below: 30))))
        }
        pools[index].failures = FailurePlan(.listed(outages), retries: random.integer(below: 3))
      default: break
      }
      let scales = random.integer(below: 2) == 0 && !(flips && pools[index].role != .mixed)
      guard scales else { continue }
      let name = pick(Autoscalers.descriptions.map(\.name))
      pools[index].autoscaling = AutoscalingPlan(
        try Autoscalers.make(name), interval: Seconds(unit * Double(1 + random.integer(below: 20))),
        coolDown: Seconds(unit * Double(random.integer(below: 20))), least: 1,
        most: pools[index].count + random.integer(below: 4))
      words.append(name)
    }
    var plan = ClusterPlan(pools: pools)
    if split {
      plan.transfers = TransferPlan(
        name: "wire", bandwidth: BytesPerSecond(pick([1, 3, 10, 100, 1000]) * 1e5 * 1e-3 / unit),
        latency: Seconds(random.integer(below: 2) == 0 ? 0 : unit / 3), sharing: pick(TransferPlan.Sharing.allCases))
      if flips {
        plan.flipping = FlippingPlan(
          threshold: 0.5 + Double(random.integer(below: 3)), interval: Seconds(unit * 3), coolDown: Seconds(unit * 5))
      }
    }
    let routers = Routers.descriptions.map(\.name)
    let router = pick(routers)
    let decodeRouter = pick(routers)
    plan.router = try Routers.make(router, seed: UInt64(seed))
    plan.decodeRouter = try Routers.make(decodeRouter, seed: UInt64(seed) + 1)
    if random.integer(below: 3) == 0, !plan.router.needs.union(plan.decodeRouter.needs).contains(.cachedTokens) {
      plan.signalAge = Seconds(unit * Double(1 + random.integer(below: 10)))
    }
    plan.seed = UInt64(seed)
    self.plan = plan
    classes = [
      .standard, RequestClass(name: "hasty", timeout: Seconds(unit * Double(5 + random.integer(below: 60)))),
    ]
    streams = (0..<4).map { ($0 - 1, random.integer(below: 30)) }
    var requests = base.requests
    for index in requests.indices {
      if random.integer(below: 5) == 0 { requests[index].classIndex = 1 }
      if random.integer(below: 8) == 0 { requests[index].samples = UInt16(1 + random.integer(below: 3)) }
      requests[index].session = Int32(random.integer(below: 5))
      if random.integer(below: 2) == 0 {
        let stream = Int32(random.integer(below: 4))
        requests[index].prompt = PromptIdentity(stream: stream, tokens: Int32(1 + random.integer(below: 60)))
      }
      let tokens = Int32(requests[index].inputTokens)
      if requests[index].prompt.tokens > tokens { requests[index].prompt.tokens = tokens }
    }
    self.requests = requests
    words.append("\(router) \(decodeRouter) age \(plan.signalAge) flips \(plan.flipping != nil)")
    words += pools.map { "\($0.name) \($0.role) \($0.count) \(String(describing: $0.failures))" }
    description = words.joined(separator: "; ")
  }

  func source() -> FullSource {
    let forest = PrefixForest()
    var numbers: [Int32] = []
    for stream in streams {
      numbers.append(
        stream.parent < 0 ? forest.add() : forest.add(parent: numbers[stream.parent], fork: stream.fork))
    }
    return FullSource(requests: requests[...], classes: classes, forest: forest)
  }

  func run() throws -> ClusterRun { try ClusterRun(plan, source()) }
}
