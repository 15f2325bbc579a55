import EventKernel
import Execution
import ModelGraph
import Quantities
import TestSupport
import Testing

@testable import Serving
@testable import Workloads

/// Replicas that fail, start and stop; every step 1 ms unless said.
@Suite struct FleetTests {
  private let limits = ServingLimits(
    maxBatchedTokens: 64, maxSequences: 8, maxModelLength: 1000, blockSize: 4, blocks: 1000)

  private func plan(_ count: Int = 1) throws -> ClusterPlan {
    ClusterPlan(try ReplicaPlan(constantStep(milliseconds: 1), limits: limits), count: count)
  }

  private func outage(_ replica: Int, at: Double, repair: Double) -> FailurePlan.Outage {
    .init(replica: replica, at: Seconds(at), repair: Seconds(repair))
  }

  // MARK: Failures

  /// Prefill until 1 ms, tokens at 2 and 3 ms, and the step to 4 ms is cut off at 3.4. From 10.4 ms on the prompt and the
  /// three tokens are computed again, which gives the fourth; the fifth follows.
  @Test func `a request on a replica that fails goes on after the repair with its answer so far`() throws {
    var plan = try plan()
    plan.pools[0].failures = FailurePlan(.listed([outage(0, at: 3.4e-3, repair: 5e-3)]))
    plan.pools[0].startUp = Seconds(2e-3)
    let run = try ClusterRun(plan, [Request(at: 7, 10, 5)])
    #expect(
      run.lines == [
        "0 completed 10+5 arrived 7 scheduled 7 first 1000007 done 12400007 preempted 0 at 0 retries 1"
      ])
    #expect(run.result.cluster.failures == 1 && run.result.cluster.retries == 1)
    // Up until 3.4 ms and from 8.4, start-up included: 7.4 ms; busy 3.4 + 2 ms; at rest in the 2 ms of start-up.
    #expect(near(run.result.replicaTime.value, 7.4e-3))
    #expect(run.result.metrics.busyNanoseconds == 5_400_000)
    #expect(near(run.result.idleEnergy.value, 10 * 2e-3))
    // Tokens at 1, 2, 3, 11.4 and 12.4 ms.
    #expect(run.result.metrics.interTokenLatency.maximum == Seconds(8.4e-3))
    #expect(run.result.metrics.outputTokens == 5)
  }

  @Test func `it goes to another replica when there is one`() throws {
    var plan = try plan(2)
    plan.pools[0].failures = FailurePlan(.listed([outage(0, at: 3.4e-3, repair: 1)]))
    let run = try ClusterRun(plan, [Request(at: 0, 10, 5)])
    #expect(run.records[0].completion == 5_400_000)
    #expect(run.records[0].replica == 1)
    #expect(run.records[0].retries == 1)
  }

  @Test func `without retries it fails with its replica`() throws {
    var plan = try plan(2)
    plan.pools[0].failures = FailurePlan(.listed([outage(0, at: 3.4e-3, repair: 1)]), retries: 0)
    let run = try ClusterRun(plan, [Request(at: 0, 10, 5), Request(at: 0, 10, 5)])
    #expect(run.records.map(\.outcome) == [.failed, .completed])
    #expect(run.records[0].generatedTokens == 3)
    #expect(run.result.metrics.failed == 1)
  }

  @Test func `requests wait while no replica is up, and may give up`() throws {
    var plan = try plan()
    plan.pools[0].failures = FailurePlan(.listed([outage(0, at: 0, repair: 10e-3)]))
    var hasty = Request(at: 1_000_000, 10, 1)
    hasty.patience = 3_000_000
    let run = try ClusterRun(plan, [Request(at: 0, 10, 1), hasty, Request(at: 2_000_000, 10, 1)])
    #expect(run.records.map(\.id) == [1, 0, 2])
    #expect(run.records.map(\.outcome) == [.cancelled, .completed, .completed])
    #expect(run.records[1].completion == 11_000_000)
  }

  /// Exponential times up of 1 s and repairs of 0.25 s: a replica is up four fifths of the time.
  @Test func `random failures leave a replica up for the share of time they should`() throws {
    var plan = try plan(10)
    plan.pools[0].failures = FailurePlan(.random(meanUpTime: Seconds(1), meanRepair: Seconds(0.25)), retries: 1000)
    // A request every 10 ms for 200 s keeps the run going.
    let run = try ClusterRun(plan, (0..<20_000).map { Request(at: $0 * 10_000_000, 4, 2) })
    let share = run.result.replicaTime.value / 10 / run.result.duration.value
    // 10 x 160 cycles of deviation near 1: 0.8 +- 0.8 x 0.2 x sqrt(2) / sqrt(1600), four of them.
    #expect(abs(share - 0.8) < 0.023, "\(share)")
    #expect(abs(Double(run.result.cluster.failures) / 1600 - 1) < 0.1)
    #expect(run.completed.count == 20_000)
  }

  @Test func `failures do not prolong a run that is over`() throws {
    var plan = try plan()
    plan.pools[0].failures = FailurePlan(.listed([outage(0, at: 1, repair: 1)]))
    let run = try ClusterRun(plan, [Request(at: 0, 10, 5)])
    #expect(run.result.cluster.failures == 0)
    #expect(run.result.duration == Seconds(5e-3))
  }

  // MARK: Scaling

  /// Asks for the counts it is given, one after another.
  private struct Script: Autoscaler {
    static let description = PolicyDescription("script", "as told", source: "tests")
    var counts: [Int]
    init(_ values: PolicyValues) { counts = [] }
    init(counts: [Int]) { self.counts = counts }
    mutating func replicas(_ pool: PoolView) -> Int { counts.isEmpty ? pool.up + pool.starting : counts.removeFirst() }
  }

  private func scaled(_ counts: [Int], coolDown: Double = 0, startUp: Double = 0, requests: [Request]) throws
    -> ClusterRun
  {
    var plan = try plan()
    plan.pools[0].startUp = Seconds(startUp)
    plan.pools[0].autoscaling = AutoscalingPlan(
      Script(counts: counts), interval: Seconds(10e-3), coolDown: Seconds(coolDown), least: 1, most: 3)
    return try ClusterRun(plan, FullSource(requests: requests[...])) { try $0.checkInvariants("") }
  }

  /// One request a millisecond of a single step, to 100 ms.
  private let stream = (0..<100).map { Request(at: $0 * 1_000_000 + 500_000, 10, 1) }

  @Test func `replicas are paid for from the decision to start them until they have drained`() throws {
    // The second is on from 10.5 ms to 60.5 ms, the third from 10.5 to 30.5; bounds hold what is asked for.
    let run = try scaled([9, 3, 2, 2, 2, 0], startUp: 5e-3, requests: stream)
    #expect(run.result.cluster.starts == 2 && run.result.cluster.stops == 2)
    #expect(near(run.result.replicaTime.value, run.result.duration.value + 0.05 + 0.02, within: 0.02))
    #expect(run.completed.count == 100)
    let late = run.records.filter { $0.replica > 0 }
    // Nothing is sent to them in the 5 ms of their start-up.
    #expect(late.allSatisfy { $0.arrival >= 15_500_000 } && !late.isEmpty)
    // One of the three takes nothing after 30.5 ms, another nothing after 60.5.
    let lastArrivals = (0..<3).map { replica in run.records.last { $0.replica == replica }?.arrival ?? 0 }.sorted()
    #expect(lastArrivals[0] <= 30_500_000 && lastArrivals[1] <= 60_500_000 && lastArrivals[2] == 99_500_000)
  }

  @Test func `nothing is taken away within the cool-down`() throws {
    let run = try scaled([2, 1, 1, 1, 1, 1, 1], coolDown: 35e-3, requests: stream)
    // On at 10.5 ms; asked to go at 20.5, 30.5, 40.5, and it goes at 50.5.
    let last = (0..<2).map { replica in run.records.last { $0.replica == replica }?.arrival ?? 0 }.sorted()
    #expect([49_500_000, 50_500_000].contains(last[0]) && last[1] == 99_500_000)
  }

  @Test func `a replica that drains takes nothing and finishes what it has`() throws {
    let requests =
      [Request(at: 0, 10, 2), Request(at: 11_000_000, 10, 60), Request(at: 12_000_000, 10, 60)]
      + (0..<30).map { Request(at: 25_000_000 + $0 * 1_000_000, 10, 1) }
    let run = try scaled([2, 1], requests: requests)
    #expect(run.completed.count == 33)
    let places = Dictionary(uniqueKeysWithValues: run.records.map { ($0.id, $0.replica) })
    #expect(Set([places[1]!, places[2]!]) == [0, 1])
    let drained = run.records.filter { $0.id > 2 }.map(\.replica)
    #expect(Set(drained).count == 1)
    #expect(run.result.cluster.stops == 1)
  }

  private func view(
    up: Int = 2, starting: Int = 0, outstanding: Int = 0, waiting: Int = 0, occupancy: Double = 0, arrivals: Int = 0
  ) -> PoolView {
    PoolView(
      interval: 10, up: up, starting: starting, outstanding: outstanding, waiting: waiting, occupancy: occupancy,
      arrivals: arrivals)
  }

  @Test func `the target of requests on each sets the count, with a tolerance`() throws {
    var scaler = try Autoscalers.make("outstanding:target=10,tolerance=0.1")
    #expect(scaler.replicas(view(outstanding: 55)) == 6)
    #expect(scaler.replicas(view(outstanding: 21)) == 2)
    #expect(scaler.replicas(view(outstanding: 23)) == 3)
    #expect(scaler.replicas(view(outstanding: 0)) == 0)
  }

  @Test func `thresholds step up and down, and not again while replicas start`() throws {
    var scaler = try Autoscalers.make("waiting:high=4,low=1,step=0.5")
    #expect(scaler.replicas(view(up: 4, waiting: 17)) == 6)
    #expect(scaler.replicas(view(up: 4, starting: 2, waiting: 17)) == 6)
    #expect(scaler.replicas(view(up: 4, waiting: 16)) == 4)
    #expect(scaler.replicas(view(up: 4, waiting: 3)) == 2)
    var full = try Autoscalers.make("occupancy:high=0.8,low=0.3,step=0.25")
    #expect(full.replicas(view(up: 2, occupancy: 0.81)) == 3)
    #expect(full.replicas(view(up: 2, occupancy: 0.29)) == 1)
  }

  /// 100 arrivals in 10 s and 200 in the pool are 20 s each; by Little's law the same arrivals keep 200 there.
  @Test func `the moving average plans for the requests that Little's law expects`() throws {
    var scaler = try Autoscalers.make("ewma:target=10,utilisation=0.5,alpha=1,horizon=0")
    #expect(scaler.replicas(view(outstanding: 200, arrivals: 100)) == 40)
  }

  /// Arrivals grow by 1/s every 10 s: with full weights the forecast 20 s ahead is 2/s more.
  @Test func `a trend is carried on`() throws {
    var scaler = try Autoscalers.make("holt:target=10,utilisation=1,alpha=1,beta=1,horizon=20")
    _ = scaler.replicas(view(outstanding: 100, arrivals: 10))
    // 2/s now, 100 s in the pool each: (2 + 2) x 100 / 10.
    #expect(scaler.replicas(view(outstanding: 200, arrivals: 20)) == 40)
  }

  /// A load that two replicas hold and one does not, with a pause: the scaled pool costs less than two throughout.
  @Test func `a scaled pool serves the load for fewer replica-hours`() throws {
    let burst = (0..<400).map { Request(at: $0 * 1_000_000, 10, 10) }
    let rest = [Request(at: 2_000_000_000, 10, 10)]
    var plan = try plan()
    plan.router = LeastOutstanding()
    plan.pools[0].count = 1
    plan.pools[0].autoscaling = AutoscalingPlan(
      try Autoscalers.make("outstanding:target=6"), interval: Seconds(20e-3), coolDown: Seconds(50e-3), most: 2)
    plan.pools[0].replica.price = DollarsPerHour(3600)
    let run = try ClusterRun(plan, burst + rest)
    #expect(run.completed.count == 401)
    let hours = run.result.replicaTime.value / run.result.duration.value
    #expect(hours > 1.1 && hours < 1.5, "\(hours)")
    #expect(near(run.result.cost?.value ?? 0, run.result.replicaTime.value))
    #expect(run.result.energy == run.result.metrics.energy + run.result.idleEnergy)
  }

  // MARK: Theory

  /// One request at a time through a split cluster takes what its parts take.
  @Test func `a closed loop of one takes the unloaded latency`() throws {
    let run = try ClusterRun(plan(3), ClosedLoop(left: 50, tokens: (30, 20)))
    #expect(run.completed.count == 50)
    #expect(run.completed.allSatisfy { $0.endToEnd == 20_000_000 && $0.queueTime == 0 })
    #expect(run.result.duration == Seconds(1))
  }

  private struct ClosedLoop: RequestSource {
    var left: Int
    var tokens: (Int, Int)
    var count: Int? { nil }
    mutating func next() -> Request? {
      defer { left = max(-1, left) }
      guard left == 50 else { return nil }
      left -= 1
      return Request(at: 0, tokens.0, tokens.1)
    }
    mutating func followUp(after request: Request, endedAt: Instant, completed: Bool) -> Request? {
      guard left > 0 else { return nil }
      left -= 1
      return Request(arrival: endedAt, inputTokens: tokens.0, outputTokens: tokens.1)
    }
  }

  /// Poisson arrivals to three queues of fixed service: the number in the system is the rate times the time there, and
  /// with lots drawn each queue is M/D/1.
  @Test func `Little's law holds in a cluster, and random routing makes M/D/1 queues`() throws {
    var arrivals = ArrivalGenerator(.poisson(rate: 3 * 0.6 * 1000), seed: 5)
    let requests = (0..<30_000).map { _ in Request(arrival: arrivals.next() ?? .zero, inputTokens: 1, outputTokens: 1) }
    let single = ServingLimits(
      maxBatchedTokens: 1, maxSequences: 1, maxModelLength: 100, blockSize: 16, blocks: 1000)
    var plan = ClusterPlan(try ReplicaPlan(constantStep(milliseconds: 1), limits: single), count: 3)
    plan.router = RandomChoice(seed: 3)
    let run = try ClusterRun(plan, requests)
    let events = run.completed.flatMap { [($0.arrival, 1), ($0.completion, -1)] }.sorted { $0.0 < $1.0 }
    var (area, present, last) = (0.0, 0, events[0].0)
    for (time, change) in events {
      area += Double(present) * Double(time - last)
      (last, present) = (time, present + change)
    }
    let inSystem = area / 1e9 / run.result.duration.value
    let mean = try #require(run.result.metrics.endToEnd.mean).value
    #expect(near(inSystem, Double(run.completed.count) / run.result.duration.value * mean, within: 1e-9))
    let wait = run.completed.reduce(0.0) { $0 + Double($1.queueTime) } / 1e6 / 30_000
    #expect(abs(wait - 0.6 / (2 * 0.4)) < 0.08, "\(wait)")
    // The shortest queue waits less.
    plan.router = LeastOutstanding()
    let shortest = try ClusterRun(plan, requests)
    let less = shortest.completed.reduce(0.0) { $0 + Double($1.queueTime) } / 1e6 / 30_000
    #expect(less < 0.5 * wait)
  }

  // MARK: Power

  @Test func `power never exceeds the cap in any step, and time never falls with it`() throws {
    let deployment = try Repository.deployment("llama-3-8b", on: "h100-sxm")
    let free = try StepTable(deployment)
    let caps = [650.0, 500, 400, 300, 200].map { Watts($0) }
    let capped = try caps.map { try ReplicaPlan(deployment, limits: ServingLimits(deployment), powerCap: $0).costs }
    var random = RandomStream(seed: 3, name: "caps")
    for _ in 0..<2000 {
      let sequences = 1 + random.integer(below: 256)
      let step = StepShape.decode(
        sequences: sequences, context: 1 + random.integer(below: 4000), spans: free.spans)
      var longer = free.exactCost(step).picoseconds
      for (cap, table) in zip(caps, capped) {
        let exact = table.exactCost(step)
        #expect(exact.picoseconds >= longer)
        longer = exact.picoseconds
        for cost in [exact, table.cost(step)] {
          #expect(Double(cost.nanojoules) * 1000 <= cap.value * Double(cost.picoseconds))
        }
      }
    }
  }

  @Test func `a capped replica takes longer and draws less`() throws {
    let deployment = try Repository.deployment("llama-3-8b", on: "h100-sxm")
    let requests = (0..<200).map { Request(at: $0 * 20_000_000, 800, 100) }
    let runs = try [nil, Watts(300), Watts(200)].map { cap in
      let replica = try ReplicaPlan(deployment, limits: ServingLimits(deployment), powerCap: cap)
      return try ClusterRun(ClusterPlan(replica), requests).result
    }
    let power = runs.map { $0.metrics.energy.value / (Double($0.metrics.busyNanoseconds) / 1e9) }
    #expect(power[0] > 300 && power[1] <= 300 && power[2] <= 200)
    let times = runs.map { $0.metrics.endToEnd.mean?.value ?? 0 }
    #expect(times[0] < times[1] && times[1] < times[2])
  }

  @Test func `a cap below what waiting devices draw is refused by name`() throws {
    let deployment = try Repository.deployment("llama-3-8b", on: "h100-sxm")
    do {
      _ = try ReplicaPlan(deployment, limits: ServingLimits(deployment), powerCap: Watts(10))
      Issue.record("accepted")
    } catch {
      #expect("\(error)".hasPrefix("power_cap 10 W is not above"))
    }
  }
}
