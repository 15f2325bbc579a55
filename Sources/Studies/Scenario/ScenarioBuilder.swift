import Documents
import EventKernel
import Execution
import Quantities
import Serving
import Techniques
import Workloads

/// Resolves what a scenario names: a cluster to serve, and the traffic it serves.
///
/// Every call makes plans of their own, so that several runs can go on at once.
package struct ScenarioBuilder: Sendable {
  package let library: Library

  package init(library: Library) { self.library = library }

  // MARK: Cluster

  /// - Throws: `DataError` or `UnknownName` for names and files, `ScenarioError` for parts that do not go together, and
  ///   what deployments and replicas throw.
  package func cluster(_ scenario: Scenario) throws -> ClusterPlan {
    guard let model = scenario.model else {
      throw ScenarioError("--model is missing, for example --model llama-3-8b")
    }
    let seed = UInt64(scenario.seed ?? 1)
    let scheduler = try scheduler(scenario)
    let builder = ReplicaBuilder(library: library, model: model, scheduler: scheduler)
    var plan = ClusterPlan(pools: try pools(scenario, builder))
    plan.scheduler = scheduler
    plan.seed = seed
    if let router = scenario.router { plan.router = try router.resolved { try Routers.make($0, seed: seed) } }
    if let router = scenario.decodeRouter {
      plan.decodeRouter = try router.resolved { try Routers.make($0, seed: seed) }
    }
    if let admission = scenario.admission { plan.admission = try admission.resolved { try Admissions.make($0) } }
    plan.signalAge = scenario.signalAge ?? .zero
    plan.transfers = try transfers(scenario, plan)
    plan.flipping = scenario.flipping
    return plan
  }

  /// What the replicas of a scenario without pools run on, for predictions in closed form.
  /// - Parameter plan: Where tensors live and operators run, by name or file, in place of what the
  ///   scenario says.
  package func deployment(_ scenario: Scenario, plan: Located? = nil) throws -> Deployment {
    guard let model = scenario.model else {
      throw ScenarioError("--model is missing, for example --model llama-3-8b")
    }
    var settings = scenario.pools.first?.replica.over(scenario.replica) ?? scenario.replica
    settings.plan = plan ?? settings.plan
    return try ReplicaBuilder(library: library, model: model, scheduler: FirstComeFirstServed()).deployment(settings)
  }

  private func scheduler(_ scenario: Scenario) throws -> any Scheduler {
    if let scheduler = scenario.scheduler { return try scheduler.resolved { try Schedulers.make($0) } }
    let settings = scenario.pools.first?.replica.over(scenario.replica) ?? scenario.replica
    let runtime = settings.runtime ?? Located(ReplicaBuilder.standardRuntime)
    let profile = try runtime.resolved { try library.runtimes.find($0) }
    return try profile.scheduler.map { try Schedulers.make($0) } ?? FirstComeFirstServed()
  }

  private func pools(_ scenario: Scenario, _ builder: ReplicaBuilder) throws -> [PoolPlan] {
    if scenario.pools.isEmpty {
      let replica = try builder.replica(scenario.replica, role: .mixed)
      return [PoolPlan(name: "replicas", replica, count: scenario.replicas ?? 1)]
    }
    return try scenario.pools.map { settings in
      let replica = try builder.replica(settings.replica.over(scenario.replica), role: settings.role)
      var pool = PoolPlan(name: settings.name, replica, count: settings.replicas)
      pool.startUp = settings.startUp
      pool.failures = settings.failures
      pool.autoscaling = try settings.autoscaling.map { plan in
        AutoscalingPlan(
          try plan.policy.resolved { try Autoscalers.make($0) }, interval: plan.interval, coolDown: plan.coolDown,
          least: plan.least, most: plan.most)
      }
      return pool
    }
  }

  /// The link that is named or described; between split pools without one, the platform's link between nodes, or
  /// between devices.
  private func transfers(_ scenario: Scenario, _ plan: ClusterPlan) throws -> TransferPlan? {
    guard let settings = scenario.transfers else {
      guard let pool = plan.pools.first(where: { $0.role == .prefill }) else { return nil }
      let platform = pool.replica.deployment.platform
      let path = platform.nodePath ?? platform.peerPath
      guard path.bandwidth > .zero else {
        throw ScenarioError("\(platform.name) has no link that caches could move over; describe one under 'transfers'")
      }
      return TransferPlan(name: path.name, bandwidth: path.bandwidth, latency: path.latency)
    }
    if let name = settings.link {
      let link = try name.resolved { try library.platforms.links.find($0) }
      return TransferPlan(
        name: "\(settings.count) x \(link.name)", bandwidth: link.bandwidth * Double(settings.count),
        latency: settings.latency ?? link.latency, sharing: settings.sharing)
    }
    let bandwidth = (settings.bandwidth ?? .zero) * Double(settings.count)
    return TransferPlan(
      name: "\(bandwidth)", bandwidth: bandwidth, latency: settings.latency ?? .zero, sharing: settings.sharing)
  }

  // MARK: Traffic

  /// - Parameter loadFactor: On the rate of generated traffic, or on how fast a trace is replayed.
  package func source(_ scenario: Scenario, loadFactor: Double = 1) throws -> any RequestSource {
    let settings = scenario.traffic
    var source = try origin(scenario, loadFactor)
    if settings.until != nil || !scenario.objective.isEmpty || !scenario.demand.isEmpty {
      source = JudgedSource(source, until: settings.until, objective: scenario.objective(of:))
    }
    let rewrite = try rewrite(scenario)
    return rewrite.isEmpty ? source : RewrittenSource(source, rewrite)
  }

  /// What techniques make of the requests, which are rewritten before they reach a pool.
  private func rewrite(_ scenario: Scenario) throws -> WorkloadRewrite {
    let replicas =
      scenario.pools.isEmpty ? [scenario.replica] : scenario.pools.map { $0.replica.over(scenario.replica) }
    guard let model = scenario.model, replicas.contains(where: { $0.techniques?.isEmpty == false }) else {
      return WorkloadRewrite()
    }
    let builder = ReplicaBuilder(library: library, model: model, scheduler: FirstComeFirstServed())
    let rewrites = try replicas.map { try builder.deployment($0).workload }
    guard let rewrite = rewrites.first, rewrites.allSatisfy({ $0 == rewrite }) else {
      throw ScenarioError("pools differ in techniques that change requests, which are the same for all pools")
    }
    if rewrite.questions > 1, scenario.traffic.origin?.isTrace == false, try traffic(scenario, 1).followsAnswers {
      throw ScenarioError(
        "batch-prompting joins questions that arrive by themselves; in sessions and closed loops they wait for answers")
    }
    return rewrite
  }

  private func origin(_ scenario: Scenario, _ loadFactor: Double) throws -> any RequestSource {
    let settings = scenario.traffic
    switch settings.origin {
    case .trace(let path):
      return try TraceReader.open(
        path: path, timeScale: (settings.timeScale ?? 1) / loadFactor, limit: settings.requests)
    case .named, .described:
      return TrafficGenerator(
        try traffic(scenario, loadFactor), seed: UInt64(scenario.seed ?? 1), requests: settings.requests)
    case nil:
      throw ScenarioError("give either --trace FILE or --traffic NAME, for example --traffic azure-conversation")
    }
  }

  /// The traffic to generate, at the rate asked for.
  private func traffic(_ scenario: Scenario, _ loadFactor: Double) throws -> Workloads.Traffic {
    let settings = scenario.traffic
    let traffic: Workloads.Traffic
    switch settings.origin {
    case .named(let name): traffic = try name.resolved { try library.traffic().find($0) }
    case .described(let described): traffic = described
    default: throw ScenarioError("a recorded trace has no rate of its own")
    }
    guard settings.rate != nil || loadFactor != 1 else { return traffic }
    guard let mean = traffic.meanRate, let scaled = traffic.scaled(toRate: (settings.rate ?? mean) * loadFactor) else {
      throw ScenarioError(
        "--rate does not go with \(traffic.name), a closed loop: its users and their think time set the rate")
    }
    return scaled
  }

  /// Arrivals a second that a scenario's traffic has on average; nothing when only a run can tell.
  package func meanRate(_ scenario: Scenario) throws -> Double? {
    if let rate = scenario.traffic.rate { return rate }
    if case .trace = scenario.traffic.origin { return nil }
    guard scenario.traffic.origin != nil else { return nil }
    return try traffic(scenario, 1).meanRate
  }
}

extension Scenario {
  /// What its traffic is called in reports.
  package var trafficName: String {
    switch traffic.origin {
    case .named(let name): name.text
    case .trace(let path): path
    case .described(let traffic): traffic.name
    case nil: ""
    }
  }
}

extension ClusterPlan {
  /// Choices made for the user that a reader should know.
  package var notes: [String] {
    var notes: [String] = []
    for note in pools.flatMap(\.replica.deployment.notes) where !notes.contains(note) { notes.append(note) }
    return notes
  }
}
