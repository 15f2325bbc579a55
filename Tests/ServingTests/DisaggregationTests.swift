import CostModels
import Execution
import ModelGraph
import Quantities
import TestSupport
import Testing
import Workloads

@testable import Serving

/// Prefill and decode on replicas of their own; every step 1 ms.
@Suite struct DisaggregationTests {
  private let limits = ServingLimits(
    maxBatchedTokens: 64, maxSequences: 8, maxModelLength: 1000, blockSize: 4, blocks: 1000)

  /// The tiny model keeps 2 layers x 2 heads x (16 + 16) x 2 B = 256 B a token.
  private func plan(
    bandwidth: Double, latency: Double = 0, prefill: Int = 1, decode: Int = 1, limits: ServingLimits? = nil,
    sharing: TransferPlan.Sharing = .fabric, decodeBlocks: Int? = nil
  ) throws -> ClusterPlan {
    var options = ReplicaOptions()
    options.role = .prefill
    let deployment = try constantStep(milliseconds: 1)
    let first = try ReplicaPlan(deployment, limits: limits ?? self.limits, options: options)
    options.role = .decode
    var decodeLimits = limits ?? self.limits
    if let decodeBlocks { decodeLimits.blocks = decodeBlocks }
    let second = try ReplicaPlan(deployment, limits: decodeLimits, options: options)
    var plan = ClusterPlan(pools: [
      PoolPlan(name: "prompts", first, count: prefill), PoolPlan(name: "answers", second, count: decode),
    ])
    plan.transfers = TransferPlan(
      name: "wire", bandwidth: BytesPerSecond(bandwidth), latency: Seconds(latency), sharing: sharing)
    return plan
  }

  @Test func `a cache takes its bytes over the bandwidth, and the latency, between the first and the second token`()
    throws
  {
    // 40 tokens x 256 B = 10,240 B at 10.24 MB/s are 1 ms; 0.5 ms of latency.
    let run = try ClusterRun(plan(bandwidth: 10.24e6, latency: 0.5e-3), [Request(at: 0, 40, 3)])
    #expect(
      run.records.map(\.line) == [
        "0 completed 40+3 arrived 0 scheduled 0 first 1000000 done 4500000 preempted 0"
      ])
    #expect(run.records[0].replica == 1)
    #expect(run.result.cluster.bytesSent == 10_240)
    #expect(run.result.cluster.bytesReceived == 10_240)
    // From the first token: 1.5 ms of transfer and a step; then a step.
    #expect(run.result.metrics.interTokenLatency.maximum == Seconds(2.5e-3))
    #expect(run.result.metrics.interTokenLatency.mean == Seconds(1.75e-3))
  }

  /// Both prompts end at 1 ms. 20 and 40 tokens are 5120 and 10,240 B: at half of 10.24 MB/s each the small one takes
  /// 1 ms; of the other 5120 B are left, alone for 0.5 ms.
  @Test func `two caches share a link fairly`() throws {
    let run = try ClusterRun(plan(bandwidth: 10.24e6), [Request(at: 0, 20, 2), Request(at: 0, 40, 2)])
    #expect(run.records.map(\.id) == [0, 1])
    // The small one decodes from 2 to 3 ms; the other, there at 2.5 ms, from 3 to 4.
    #expect(run.records.map(\.completion) == [3_000_000, 4_000_000])
    #expect(run.result.cluster.bytesReceived == 15_360)
  }

  @Test func `with a link for each pair nobody shares`() throws {
    let plan = try plan(bandwidth: 10.24e6, decode: 2, sharing: .pair)
    let run = try ClusterRun(plan, [Request(at: 0, 40, 2), Request(at: 0, 20, 2)])
    let ends = Dictionary(uniqueKeysWithValues: run.records.map { ($0.id, $0.completion) })
    #expect(ends == [0: 3_000_000, 1: 2_500_000])
    #expect(Set(run.records.map(\.replica)) == [1, 2])
  }

  @Test func `with a link for each sender they share although they go apart`() throws {
    let plan = try plan(bandwidth: 10.24e6, decode: 2, sharing: .sender)
    let run = try ClusterRun(plan, [Request(at: 0, 40, 2), Request(at: 0, 20, 2)])
    let ends = Dictionary(uniqueKeysWithValues: run.records.map { ($0.id, $0.completion) })
    #expect(ends == [0: 3_500_000, 1: 3_000_000])
  }

  @Test func `an answer of one token never moves`() throws {
    let run = try ClusterRun(plan(bandwidth: 1), [Request(at: 0, 40, 1)])
    #expect(run.records[0].completion == 1_000_000)
    #expect(run.result.cluster.transfers == 0)
  }

  /// The decode side holds one of the two, 13 blocks; the second waits at the prefill side until the first has ended.
  @Test func `a cache without room at the other side waits where it is, and holds its blocks`() throws {
    var tight = limits
    tight.maxModelLength = 60
    let plan = try plan(bandwidth: 1e15, limits: tight, decodeBlocks: 15)
    var held = 0
    let source = FullSource(requests: [Request(at: 0, 40, 10), Request(at: 0, 24, 10)])
    let run = try ClusterRun(plan, source) { engine in
      try engine.checkInvariants("")
      if engine.transfers?.waiting.count == 1 { held = engine.replicas[0].usedBlocks }
    }
    #expect(held == 6)
    // 40 + 24 tokens are the prompts of one step; the first decodes from about 1 ms for 9 steps.
    #expect(run.records.map(\.completion).map { $0 / 1_000_000 } == [10, 19])
    #expect(run.result.cluster.peakHandovers == 1)
  }

  @Test func `who gives up on the way ends when the cache is there`() throws {
    let plan = try plan(bandwidth: 10.24e6)
    var request = Request(at: 0, 40, 3)
    request.patience = 1_500_000
    let source = FullSource(requests: [request, Request(at: 0, 10, 2)])
    let run = try ClusterRun(plan, source) { engine in try engine.checkInvariants("") }
    #expect(run.records.first { $0.id == 0 }?.outcome == .cancelled)
    #expect(run.records.first { $0.id == 0 }?.generatedTokens == 1)
    #expect(run.result.cluster.bytesSent == run.result.cluster.bytesReceived)
  }

  @Test func `unlike hardware may serve the two sides`() throws {
    var options = ReplicaOptions()
    options.role = .prefill
    let fast = try Repository.deployment("llama-3-8b", on: "h100-sxm")
    let slow = try Repository.deployment("llama-3-8b", on: "a100-sxm-80gb")
    let first = try ReplicaPlan(fast, limits: ServingLimits(fast), options: options)
    options.role = .decode
    let second = try ReplicaPlan(slow, limits: ServingLimits(slow), options: options)
    var plan = ClusterPlan(pools: [PoolPlan(name: "p", first), PoolPlan(name: "d", second)])
    plan.transfers = TransferPlan(name: "ndr", bandwidth: BytesPerSecond(50e9), latency: Seconds(1e-6))
    let run = try ClusterRun(plan, [Request(at: 0, 1000, 100)])
    // 131,072 B a token, as everywhere else in the repository.
    #expect(run.result.cluster.bytesSent == 131_072_000)
    let alone = try Run([Request(at: 0, 1000, 100)], fast, ServingLimits(fast))
    #expect(run.records[0].timeToFirstToken == alone.records[0].timeToFirstToken)
    #expect(run.records[0].endToEnd > alone.records[0].endToEnd)
  }

  @Test func `tensor parallelism does not multiply a cache that is copied`() throws {
    // 8 KV heads on 4 devices, and on 16 each held twice.
    for tensor in [1, 4] {
      let deployment = try Repository.deployment("llama-3-8b", on: "hgx-h100", Parallelism(tensor: tensor))
      let replica = try ReplicaPlan(deployment, limits: ServingLimits(deployment))
      #expect(try replica.cacheFootprint().sequence(tokens: 10).value == 1_310_720)
    }
  }

  // MARK: Flipping

  /// One long prompt after another for one prefill replica, while three decode replicas have next to nothing to do.
  @Test func `replicas change sides when queues are out of balance, after they have drained`() throws {
    var plan = try plan(bandwidth: 1e12, decode: 3)
    plan.flipping = FlippingPlan(threshold: 2, interval: Seconds(5e-3), coolDown: Seconds(20e-3))
    let requests = (0..<60).map { Request(at: $0 * 1_000_000, 640, 2) }
    let still = try ClusterRun(self.plan(bandwidth: 1e12, decode: 3), requests)
    let run = try ClusterRun(plan, FullSource(requests: requests[...])) { try $0.checkInvariants("") }
    #expect(run.result.cluster.flips == 2)
    #expect(run.completed.count == 60)
    #expect(run.result.duration.value < 0.6 * still.result.duration.value)
  }

  // MARK: Faults in plans

  private func problem(_ change: (inout ClusterPlan) throws -> Void) throws -> String {
    var plan = try plan(bandwidth: 1e9)
    try change(&plan)
    do {
      _ = try ServingEngine(plan)
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test func `plans that cannot be are refused by field`() throws {
    #expect(try problem { $0.transfers = nil }.hasPrefix("transfers: missing"))
    #expect(try problem { $0.pools.removeLast() }.contains("role decode"))
    #expect(try problem { $0.pools.removeFirst() }.contains("role prefill"))
    #expect(try problem { $0.pools = [] }.hasPrefix("pools: found none"))
    #expect(try problem { $0.pools[1].name = "prompts" }.contains("another pool"))
    #expect(try problem { $0.pools[0].count = 0 }.contains("count: found 0"))
    #expect(try problem { $0.transfers?.bandwidth = .zero }.hasPrefix("transfers, bandwidth"))
    #expect(try problem { $0.signalAge = Seconds(-1) }.hasPrefix("signal_age"))
    #expect(try problem { $0.pools[0].startUp = Seconds(.nan) }.contains("start_up"))
    #expect(
      try problem {
        $0.router = try Routers.make("prefix-affinity", seed: 1)
        $0.signalAge = Seconds(1)
      }.hasPrefix("router: it looks into caches"))
    #expect(
      try problem {
        $0.pools[1].failures = FailurePlan(.listed([.init(replica: 1, at: Seconds(0), repair: Seconds(1))]))
      }.contains("failures[0], replica: found 1, expected a whole number from 0 to 0"))
    #expect(
      try problem {
        $0.pools[1].autoscaling = AutoscalingPlan(
          try Autoscalers.make("waiting"), interval: Seconds(1), least: 2, most: 1)
      }.contains("least 2 and most 1"))
    let other = try constantStep(milliseconds: 1, windows: [nil]) { $0.blockSize = 8 }
    #expect(try problem { $0.pools[1].replica = try ReplicaPlan(other, limits: limits) }.contains("role decode"))
    let fp8 = try RoundDeployment.make(
      TinyModel.dense(), formats: FormatRequest(kv: .fp8))
    var options = ReplicaOptions()
    options.role = .decode
    #expect(
      try problem { $0.pools[1].replica = try ReplicaPlan(fp8, limits: limits, options: options) }
        .contains("one KV format"))
  }
}
