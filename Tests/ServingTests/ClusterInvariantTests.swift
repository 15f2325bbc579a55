import Quantities
import Testing

@testable import Serving

/// What every cluster must hold, on random clusters.
@Suite struct ClusterInvariantTests {
  private static let seeds = 5000..<5100

  @Test(arguments: [1, 3])
  func `blocks are conserved at every event, a cache is at one place, and nothing is left at the end`(stages: Int)
    throws
  {
    var counts = ClusterCounts()
    var outcomes: [RequestRecord.Outcome: Int] = [:]
    for seed in Self.seeds {
      let scenario = try ClusterScenario(seed: seed, stages: stages)
      var last: ServingEngine?
      var time = Int64.min
      var events = 0
      let run = try ClusterRun(scenario.plan, scenario.source()) { engine in
        try #require(engine.now >= time, "\(scenario)")
        time = engine.now
        events += 1
        try #require(events < 100_000, "does not come to an end: \(scenario)")
        try engine.checkInvariants("\(scenario)")
        last = engine
      }
      for replica in last.map({ Array($0.replicas) }) ?? [] { #expect(replica.usedBlocks == 0, "\(scenario)") }
      #expect(last?.transfers?.moves.isEmpty ?? true)
      let cluster = run.result.cluster
      #expect(cluster.bytesSent == cluster.bytesReceived + cluster.bytesLost, "\(scenario)")
      try check(run, scenario, stages)
      counts.add(cluster)
      for record in run.records { outcomes[record.outcome, default: 0] += 1 }
    }
    // The scenarios are worth something only while they reach the rare paths.
    #expect(counts.transfers > 500 && counts.failures > 200 && counts.retries > 200, "\(counts)")
    #expect(counts.flips > 10 && counts.starts > 50 && counts.stops > 50 && counts.bytesLost > 0, "\(counts)")
    #expect(outcomes[.failed, default: 0] > 20 && outcomes[.timedOut, default: 0] > 50, "\(outcomes)")
  }

  private func check(_ run: ClusterRun, _ scenario: ClusterScenario, _ stages: Int) throws {
    #expect(run.records.map(\.id).sorted() == Array(scenario.requests.indices), "\(scenario)")
    #expect(run.records.allSatisfy { $0.outcome != .unfinished }, "\(scenario)")
    for record in run.completed {
      #expect(record.arrival <= record.firstScheduled, "\(scenario): \(record.line)")
      #expect(record.firstScheduled < record.firstToken, "\(scenario): \(record.line)")
      #expect(record.firstToken <= record.completion, "\(scenario): \(record.line)")
    }
    let result = run.result
    let onTime = result.replicaTime.value
    let busy = Double(result.metrics.busyNanoseconds) / 1e9
    let idle = result.idleEnergy.value / 10 / Double(stages)  // a device rests at 10 W
    // Time on is time busy and time idle; each step's end is rounded down to a nanosecond.
    #expect(abs(onTime - busy - idle) < 2e-9 * Double(2 + result.metrics.steps), "\(scenario)")
    #expect(result.metrics.energy.value <= 100 * Double(stages) * busy * (1 + 1e-9), "\(scenario)")
    #expect(result.utilisation <= 1 + 1e-6)
  }

  @Test(arguments: [1, 3])
  func `gaps between tokens fill the time from first to last tokens, transfers and failures included`(stages: Int)
    throws
  {
    for seed in Self.seeds {
      let scenario = try ClusterScenario(seed: seed, stages: stages)
      let run = try scenario.run()
      // Answers that were cut off, and those of several samples, have gaps that records do not tell.
      guard run.completed.count == run.records.count, scenario.requests.allSatisfy({ $0.samples == 1 }) else {
        continue
      }
      let gaps = run.result.metrics.interTokenLatency
      let after = run.completed.reduce(Int64(0)) { $0 + $1.completion - $1.firstToken }
      let sum = (gaps.mean?.value ?? 0) * Double(gaps.count)
      #expect(gaps.count == run.completed.reduce(0) { $0 + $1.outputTokens - 1 }, "\(scenario)")
      #expect(abs(sum - Double(after) / 1e9) <= 1e-9 * Double(gaps.count + 1), "\(scenario)")
    }
  }

  @Test(arguments: [1, 3])
  func `the same traffic and seed give the same run`(stages: Int) throws {
    for seed in Self.seeds.prefix(60) {
      let scenario = try ClusterScenario(seed: seed, stages: stages)
      let (first, second) = (try scenario.run(), try scenario.run())
      #expect(first.lines == second.lines, "\(scenario)")
      #expect(first.result.cluster == second.result.cluster, "\(scenario)")
      #expect(first.result.energy == second.result.energy && first.result.replicaTime == second.result.replicaTime)
    }
  }

  @Test func `many steps at once are the same steps in a cluster, bit for bit`() throws {
    for seed in Self.seeds.prefix(60) {
      let scenario = try ClusterScenario(seed: seed)
      let runs = try [true, false].map { many in
        var plan = scenario.plan
        for index in plan.pools.indices { plan.pools[index].replica.options.takesManySteps = many }
        return try ClusterRun(plan, scenario.source())
      }
      let differing = Set(runs[0].lines).symmetricDifference(runs[1].lines).sorted()
      try #require(differing.isEmpty, "\(scenario)")
      let (a, b) = (runs[0].result, runs[1].result)
      #expect(a.cluster == b.cluster && a.energy == b.energy && a.metrics.steps == b.metrics.steps, "\(scenario)")
      #expect(a.metrics.interTokenLatency == b.metrics.interTokenLatency, "\(scenario)")
    }
  }

  @Test(arguments: Routers.descriptions.map(\.name))
  func `one replica behind any router is no router`(name: String) throws {
    for seed in 3000..<3060 {
      let scenario = try Scenario(seed: seed)
      let alone = try scenario.run()
      // A second pool that takes nothing makes the engine ask its router.
      var none = scenario.limits
      none.maxModelLength = 1
      var plan = ClusterPlan(pools: [
        PoolPlan(name: "all", try ReplicaPlan(scenario.deployment, limits: scenario.limits)),
        PoolPlan(name: "none", try ReplicaPlan(scenario.deployment, limits: none)),
      ])
      plan.router = try Routers.make(name, seed: 1)
      let routed = try ClusterRun(plan, scenario.requests)
      #expect(routed.records.map(\.line) == alone.records.map(\.line), "\(scenario)")
      #expect(routed.result.metrics.energy == alone.result.metrics.energy)
    }
  }
}

extension ClusterCounts {
  fileprivate mutating func add(_ other: ClusterCounts) {
    starts += other.starts
    stops += other.stops
    failures += other.failures
    flips += other.flips
    retries += other.retries
    transfers += other.transfers
    bytesLost += other.bytesLost
  }
}
