import EventKernel
import Quantities
import TestSupport
import Testing
import Workloads

@testable import Serving

@Suite struct RouterTests {
  private func signals(_ outstanding: [Int], _ change: (inout ReplicaSignals) -> Void = { _ in }) -> [ReplicaSignals] {
    outstanding.enumerated().map { index, count in
      var signals = ReplicaSignals(replica: index)
      signals.outstanding = count
      change(&signals)
      return signals
    }
  }

  private func request(
    _ id: Int = 0, input: Int = 100, predicted: Int = 0, session: Int32 = -1, stream: Int32 = -1
  ) -> RoutedRequest {
    RoutedRequest(
      now: 0, id: id, inputTokens: input, predictedTokens: predicted, session: session, stream: stream)
  }

  @Test func `the fewest requests win, equals in turn`() {
    var router = LeastOutstanding()
    #expect(router.choose(request(), among: signals([3, 1, 2])) == 1)
    #expect((0..<4).map { _ in router.choose(request(), among: signals([1, 1, 1])) } == [2, 0, 1, 2])
  }

  @Test func `the least full cache wins, then the fewest requests`() {
    var router = LeastKV()
    let half = signals([1, 5, 4]) { $0.occupancy = $0.replica == 0 ? 0.6 : 0.5 }
    #expect(router.choose(request(), among: half) == 2)
  }

  @Test func `the fewest waiting prompt tokens win`() {
    var router = LeastTokens()
    #expect(router.choose(request(), among: signals([0, 9, 0]) { $0.waitingTokens = [10, 9, 11][$0.replica] }) == 1)
  }

  @Test func `lots are even, and two choices balance better than one`() throws {
    var random = RandomChoice(seed: 7)
    var two = try Routers.make("power-of-two", seed: 7)
    var loads = [[Int]](repeating: Array(repeating: 0, count: 50), count: 2)
    for id in 0..<10_000 {
      loads[0][random.choose(request(id), among: signals(loads[0]))] += 1
      loads[1][two.choose(request(id), among: signals(loads[1]))] += 1
    }
    // 200 each on average with a deviation of 14; two choices leave a handful.
    #expect(loads[0].min()! > 140 && loads[0].max()! < 260)
    #expect(loads[0].max()! - 200 > 10)
    #expect(loads[1].max()! - 200 < 6)
  }

  @Test func `more choices than replicas are all of them`() throws {
    var router = try Routers.make("power-of-two:choices=64", seed: 1)
    #expect((0..<20).allSatisfy { _ in router.choose(request(), among: signals([4, 3, 5])) == 1 })
  }

  @Test func `a session stays where it is, and only the sessions of a lost replica move`() throws {
    var router = try Routers.make("session-affinity", seed: 3)
    let all = signals(Array(repeating: 0, count: 8))
    let before = (0..<1000).map { router.choose(request($0, session: Int32($0)), among: all) }
    let again = (0..<1000).map { router.choose(request(5000 + $0, session: Int32($0)), among: all) }
    #expect(before == again)
    for replica in 0..<8 { #expect((80...175).contains(before.count { $0 == replica }), "\(replica)") }
    let fewer = all.filter { $0.replica != 3 }
    let after = (0..<1000).map { fewer[router.choose(request($0, session: Int32($0)), among: fewer)].replica }
    for (old, new) in zip(before, after) where old != 3 { #expect(old == new) }
  }

  /// The mean of 3 replicas with 12 requests and the new one is 13 / 3; 1.25 times that, rounded up, is 6.
  @Test func `a replica with more than its share is passed over`() throws {
    var router = try Routers.make("session-affinity:load=1.25", seed: 3)
    for session in 0..<50 {
      let chosen = router.choose(request(session: Int32(session)), among: signals([6, 3, 3]))
      #expect(chosen != 0)
    }
    #expect((0..<50).contains { router.choose(request(session: Int32($0)), among: signals([5, 4, 3])) == 0 })
  }

  @Test func `the longest prefix in cache wins unless it is short or loads are far apart`() throws {
    var router = try Routers.make("prefix-affinity:match=0.5,gap=10,ratio=1.5", seed: 1)
    func choose(_ outstanding: [Int], _ cached: [Int]) -> Int {
      router.choose(request(), among: signals(outstanding) { $0.cachedTokens = cached[$0.replica] })
    }
    #expect(choose([5, 1, 2], [60, 50, 0]) == 0)
    #expect(choose([5, 1, 2], [40, 30, 0]) == 1)
    #expect(choose([12, 1, 2], [60, 50, 0]) == 1)
    // The gap alone is not enough: 111 is not one and a half times 100.
    #expect(choose([111, 100, 100], [60, 0, 0]) == 0)
  }

  /// Price / speed is 2 and 3; with knee 10 the cheap one at speed 0.5 is as dear as the other after 2.5 requests.
  @Test func `the cheapest tokens win until the queue makes up for the price`() throws {
    var router = try Routers.make("cost-aware:knee=10", seed: 1)
    func choose(_ outstanding: [Int], prices: [Double] = [1, 3]) -> Int {
      router.choose(
        request(),
        among: signals(outstanding) {
          $0.price = prices[$0.replica]
          $0.speed = [0.5, 1][$0.replica]
        })
    }
    #expect(choose([0, 0]) == 0)
    #expect(choose([2, 0]) == 0)
    #expect(choose([3, 0]) == 1)
    // Without prices the faster replica is the better one.
    #expect(choose([0, 0], prices: [0, 3]) == 1)
  }

  @Test func `long answers go to some replicas and short ones to the others`() throws {
    var router = try Routers.make("predicted-length:threshold=100,share=0.25", seed: 1)
    let four = signals([0, 0, 0, 9])
    #expect((0..<10).allSatisfy { router.choose(request($0, predicted: 100), among: four) == 3 })
    #expect((0..<10).allSatisfy { router.choose(request($0, predicted: 99), among: four) < 3 })
    #expect(router.choose(request(predicted: 500), among: signals([7])) == 0)
  }

  @Test func `every router is described, and chooses among those there are`() throws {
    var random = RandomStream(seed: 1, name: "routers")
    for description in Routers.descriptions {
      #expect(!description.source.isEmpty && !description.summary.isEmpty)
      var router = try Routers.make(description.name, seed: 5)
      for id in 0..<500 {
        let count = 1 + random.integer(below: 9)
        let replicas = signals((0..<count).map { _ in random.integer(below: 5) }) {
          $0.occupancy = Double($0.outstanding) / 5
          $0.cachedTokens = 10 * $0.outstanding
          $0.price = 2
        }
        let chosen = router.choose(request(id, session: Int32(id % 7)), among: replicas)
        #expect((0..<count).contains(chosen), "\(description.name)")
      }
    }
  }

  // MARK: Signals

  /// Notes what it is shown, and spreads requests in turn.
  private struct Recorder: Router {
    static let description = PolicyDescription("recorder", "notes what it is shown", source: "tests")
    final class Notes: @unchecked Sendable { var seen: [(now: Int64, signals: [ReplicaSignals])] = [] }
    let notes: Notes
    init(_ values: PolicyValues, seed: UInt64) { notes = Notes() }
    func choose(_ request: RoutedRequest, among replicas: [ReplicaSignals]) -> Int {
      notes.seen.append((request.now, replicas))
      return request.id % replicas.count
    }
  }

  private let limits = ServingLimits(
    maxBatchedTokens: 64, maxSequences: 8, maxModelLength: 1000, blockSize: 4, blocks: 1000)

  /// One token every 10 ms at 1 ms a step, to two replicas in turn: each request is gone before the next comes.
  @Test func `signals are as old as declared`() throws {
    let recorder = Recorder(PolicyValues(), seed: 0)
    var plan = ClusterPlan(try ReplicaPlan(constantStep(milliseconds: 1), limits: limits), count: 2)
    plan.router = recorder
    plan.signalAge = Seconds(3e-3)
    // 100 tokens each are decoded for 100 ms, so nobody leaves; counts only grow.
    let requests = (0..<8).map { Request(at: 1000 + $0 * 1_300_000, 10, 100) }
    _ = try ClusterRun(plan, requests)
    for (now, signals) in recorder.notes.seen {
      let since = now - 1000
      // The snapshot before: an arrival at the moment of a refresh comes first.
      let taken = since == 0 ? 0 : (since - 1) / 3_000_000 * 3_000_000
      #expect(signals.allSatisfy { $0.time == 1000 + taken })
      let before = requests.count {
        $0.arrival.nanoseconds - 1000 < taken || (taken > 0 && $0.arrival.nanoseconds - 1000 <= taken)
      }
      #expect(signals.reduce(0) { $0 + $1.outstanding } == before, "at \(since)")
    }
    #expect(recorder.notes.seen.count == 8)
  }

  @Test func `signals without age are those of the moment`() throws {
    let recorder = Recorder(PolicyValues(), seed: 0)
    var plan = ClusterPlan(try ReplicaPlan(constantStep(milliseconds: 1), limits: limits), count: 3)
    plan.router = recorder
    _ = try ClusterRun(plan, (0..<9).map { Request(at: $0 * 100_000, 10, 100) })
    for (index, seen) in recorder.notes.seen.enumerated() {
      #expect(seen.signals.reduce(0) { $0 + $1.outstanding } == index)
      #expect(seen.signals.allSatisfy { $0.time == seen.now })
    }
  }

  @Test func `unlike replicas report their speed and price`() throws {
    let fast = try Repository.deployment("llama-3-8b", on: "h100-sxm")
    let slow = try Repository.deployment("llama-3-8b", on: "a100-sxm-80gb")
    let recorder = Recorder(PolicyValues(), seed: 0)
    var plan = ClusterPlan(pools: [
      PoolPlan(name: "fast", try ReplicaPlan(fast, limits: ServingLimits(fast))),
      PoolPlan(name: "slow", try ReplicaPlan(slow, limits: ServingLimits(slow))),
    ])
    plan.pools[0].replica.price = DollarsPerHour(3)
    plan.pools[1].replica.price = DollarsPerHour(1.5)
    plan.router = recorder
    _ = try ClusterRun(plan, [Request(at: 0, 10, 2)])
    let seen = try #require(recorder.notes.seen.first).signals
    #expect(seen.map(\.price) == [3, 1.5])
    #expect(seen[0].speed == 1)
    // Bandwidth decides decode steps: 2.0 against 3.35 TB/s.
    #expect((0.45...0.75).contains(seen[1].speed), "\(seen[1].speed)")
  }

  /// Two requests of one stream, 40 tokens of it shared, one after the other.
  @Test func `prefix affinity finds the replica that has the prompt`() throws {
    var options = ReplicaOptions()
    options.prefixCache = true
    var plan = ClusterPlan(try ReplicaPlan(constantStep(milliseconds: 1), limits: limits, options: options), count: 4)
    plan.router = try Routers.make("prefix-affinity", seed: 1)
    let forest = PrefixForest()
    let streams = (0..<4).map { _ in forest.add() }
    let requests = (0..<40).map { index in
      var request = Request(at: index * 20_000_000, 48, 2)
      request.prompt = PromptIdentity(stream: streams[index * 7 % 4], tokens: 40)
      return request
    }
    let run = try ClusterRun(plan, FullSource(requests: requests[...], forest: forest))
    // The first of each stream computes its prompt; all others find 10 blocks of 4 tokens.
    #expect(run.result.counts.hitTokens == 36 * 40)
    for stream in 0..<4 {
      let places = Set(run.records.filter { $0.id * 7 % 4 == stream }.map(\.replica))
      #expect(places.count == 1)
    }
  }
}
