import EventKernel
import Execution
import Quantities
import TestSupport
import Testing
import Workloads

@testable import Serving

/// Rules that runtimes differ in: scheduling ahead, reserving answers, and the way between client and engine.
@Suite struct RuntimeRuleTests {
  private let roomy = ServingLimits(
    maxBatchedTokens: 64, maxSequences: 8, maxModelLength: 1000, blockSize: 4, blocks: 1000)

  @Test func `scheduled ahead, a request that arrives during a step misses the next one`() throws {
    var limits = roomy
    let requests = [Request(at: 0, 10, 10), Request(at: 1_500_000, 10, 1), Request(at: 20_500_000, 10, 1)]
    let at = try Run(requests, constantStep(milliseconds: 1), limits)
    limits.schedulesAhead = true
    let ahead = try Run(requests, constantStep(milliseconds: 1), limits)
    // The step from 2 to 3 ms is put together at 1 ms, before the second request comes.
    #expect(at.records.first { $0.id == 1 }?.firstToken == 3_000_000)
    #expect(ahead.records.first { $0.id == 1 }?.firstToken == 4_000_000)
    // Nothing runs when the third comes.
    #expect(ahead.records.first { $0.id == 2 }?.firstToken == 21_500_000)
  }

  @Test(arguments: 0..<60)
  func `scheduled ahead, many steps at once are the same as one by one`(seed: Int) throws {
    let scenario = try Scenario(seed: seed)
    var limits = scenario.limits
    limits.schedulesAhead = true
    limits.reservesAnswers = seed % 3 == 0
    let runs = try [true, false].map { many in
      var options = ReplicaOptions()
      options.takesManySteps = many
      var engine = try ServingEngine(ClusterPlan(ReplicaPlan(scenario.deployment, limits: limits, options: options)))
      var source: any RequestSource = ListSource(scenario.requests)
      var lines: [String] = []
      _ = try engine.run(&source, observer: ServingEngine.Observer(onEnd: { lines.append($0.line) }))
      return lines
    }
    #expect(runs[0] == runs[1], "\(scenario)")
    #expect(runs[0].count == scenario.requests.count)
  }

  @Test func `with answers reserved the second waits for the first and nobody is preempted`() throws {
    // Each takes 3 blocks of 4 for its 11 stored tokens; there are 5.
    var limits = ServingLimits(maxBatchedTokens: 64, maxSequences: 8, maxModelLength: 100, blockSize: 4, blocks: 5)
    limits.reservesAnswers = true
    let run = try Run([Request(at: 0, 8, 4), Request(at: 0, 8, 4)], constantStep(milliseconds: 1), limits)
    #expect(run.result.preemptions == 0)
    #expect(run.records.map(\.firstScheduled) == [0, 4_000_000])
    #expect(run.records.map(\.completion) == [4_000_000, 8_000_000])
  }

  @Test func `the way to the client delays tokens by a constant and by the prompt's tokens`() throws {
    let deployment = try RoundDeployment.make(
      TinyModel.dense(), ["step_overhead": "1 ms", "request_overhead": "2 ms", "request_per_token": "10 us"])
    let plain = try RoundDeployment.make(TinyModel.dense(), ["step_overhead": "1 ms"])
    let slow = try Run([Request(at: 0, 10, 3)], deployment, roomy).records[0]
    let fast = try Run([Request(at: 0, 10, 3)], plain, roomy).records[0]
    #expect(slow.timeToFirstToken - fast.timeToFirstToken == 2_100_000)
    #expect(slow.endToEnd - fast.endToEnd == 2_100_000)
    #expect(slow.timePerOutputToken == fast.timePerOutputToken)
  }
}
