import Quantities
import Testing
import Workloads

@testable import Serving

@Suite struct AdmissionTests {
  /// A policy with its state.
  private final class Gate {
    private var policy: any Admission

    init(_ text: String) throws { policy = try Admissions.make(text) }

    func admits(_ request: RequestView, cluster: [ReplicaSignals]) -> Bool { policy.admits(request, cluster: cluster) }
  }

  private func view(at milliseconds: Int, tokens: Int = 10, due: Int? = nil) -> RequestView {
    let now = Int64(milliseconds) * 1_000_000
    return RequestView(
      now: now, arrival: now, inputTokens: tokens, computedTokens: 0, generatedTokens: 0, predictedTokens: 0,
      priority: 0, tenantWeight: 1, tenantService: 0, firstTokenDeadline: due.map { now + Int64($0) * 1_000_000 },
      preemptions: 0)
  }

  private func replica(
    waiting: Int = 0, tokens: Int = 0, rate: Double = 0, cached: Int = 0, occupancy: Double = 0
  ) -> ReplicaSignals {
    var signals = ReplicaSignals(replica: 0)
    signals.waiting = waiting
    signals.waitingTokens = tokens
    signals.cachedTokens = cached
    signals.promptRate = rate
    signals.occupancy = occupancy
    return signals
  }

  /// Two at once, then one each 100 ms.
  @Test func `a bucket lets a burst pass and then its rate`() throws {
    let bucket = try Gate("token-bucket:rate=10,burst=2")
    let taken = [0, 0, 0, 50, 100, 150, 200, 1000, 1000, 1000].map { bucket.admits(view(at: $0), cluster: []) }
    #expect(taken == [true, true, false, false, true, false, true, true, true, false])
  }

  /// 100 tokens at first; 25 of them are back after 250 ms.
  @Test func `a bucket of tokens counts prompts by their length`() throws {
    let bucket = try Gate("token-bucket:rate=100,burst=100,unit=tokens")
    let taken = [(0, 80), (0, 30), (0, 20), (250, 26), (250, 25), (2000, 101), (2000, 100)].map { time, tokens in
      bucket.admits(view(at: time, tokens: tokens), cluster: [])
    }
    #expect(taken == [true, false, true, false, true, false, true])
  }

  @Test func `a queue limit counts who waits in the whole cluster`() throws {
    let limit = try Gate("queue-limit:waiting=5")
    #expect(limit.admits(view(at: 0), cluster: [replica(waiting: 2), replica(waiting: 2)]))
    #expect(!limit.admits(view(at: 0), cluster: [replica(waiting: 2), replica(waiting: 3)]))
  }

  /// 900 tokens wait, 100 are its own, 50 of them cached, at 1000 a second: 950 ms.
  @Test func `a request that would be late everywhere is turned away`() throws {
    let deadline = try Gate("deadline")
    let busy = replica(tokens: 900, rate: 1000, cached: 50)
    #expect(deadline.admits(view(at: 7, tokens: 100, due: 950), cluster: [busy]))
    #expect(!deadline.admits(view(at: 7, tokens: 100, due: 949), cluster: [busy]))
    #expect(deadline.admits(view(at: 7, tokens: 100, due: 200), cluster: [busy, replica(tokens: 50, rate: 1000)]))
    #expect(deadline.admits(view(at: 7, tokens: 100, due: 1), cluster: [replica(tokens: 900)]))
    #expect(deadline.admits(view(at: 7, tokens: 100), cluster: [busy]))
    let patient = try Gate("deadline:slack=2")
    #expect(patient.admits(view(at: 7, tokens: 100, due: 475), cluster: [busy]))
  }

  @Test func `a cache limit looks for a replica with room`() throws {
    let limit = try Gate("kv:occupancy=0.9")
    #expect(limit.admits(view(at: 0), cluster: [replica(occupancy: 0.99), replica(occupancy: 0.9)]))
    #expect(!limit.admits(view(at: 0), cluster: [replica(occupancy: 0.91)]))
  }

  /// 10 tokens a step of 1 ms, so 10,000 a second; the rest waits 40 ms and more.
  @Test func `the rate of prompts is measured while there are any, idle time left out`() {
    var backlog = PromptBacklog(measuresRate: true)
    #expect(backlog.rate == 0)
    backlog.add(20, now: 1_000_000)
    backlog.serve(10, now: 2_000_000)
    #expect(abs(backlog.rate - 10_000) < 1e-6)
    backlog.serve(10, now: 3_000_000)
    backlog.add(30, now: 900_000_000)
    backlog.serve(30, now: 901_000_000)
    #expect(abs(backlog.rate - 50 / 0.003) < 5 && backlog.tokens == 0)
  }

  /// Each prompt takes 10 ms of its own; one that finds four in front of it would be late.
  @Test func `early rejection leaves those it takes in time`() throws {
    let limits = ServingLimits(maxBatchedTokens: 10, maxSequences: 8, maxModelLength: 1000, blockSize: 4, blocks: 1000)
    let hurried = RequestClass(
      name: "hurried", objective: ServiceObjective(timeToFirstToken: Seconds(45e-3)))
    let requests = (0..<200).map { Request(at: $0 * 5_000_000, 100, 1) }
    func run(_ admission: String) throws -> ServingResult {
      var plan = ClusterPlan(try ReplicaPlan(constantStep(milliseconds: 1), limits: limits))
      plan.admission = try Admissions.make(admission)
      var engine = try ServingEngine(plan)
      var source: any RequestSource = ListSource(requests, classes: [hurried])
      return try engine.run(&source)
    }
    #expect(try #require(run("none").metrics.timeToFirstToken.maximum) > Seconds(0.9))
    let controlled = try run("deadline")
    // The first few come before any rate is known.
    #expect(try #require(controlled.metrics.timeToFirstToken.percentile(98)) <= Seconds(47e-3))
    #expect((90...110).contains(controlled.metrics.rejected), "\(controlled.metrics.rejected)")
  }
}
