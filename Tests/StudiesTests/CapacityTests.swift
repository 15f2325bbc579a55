import Quantities
import Serving
import Studies
import Testing
import Workloads

@Suite struct CapacityTests {
  /// One request at a time, each as long as the others: with equal gaps, the goal is met up to one over the service time.
  @Test func `the capacity of a constant stream is one over the service time`() throws {
    let base = try scenario(
      "limits: {max_num_seqs: 1}", "warm_up: {requests: 0}",
      """
      traffic:
        described:
          name: clockwork
          title: Equal requests at equal gaps
          sources: {test: "estimate: a test"}
          requests: 300
          arrivals: {process: constant, rate_per_s: 1, source: test}
          input_tokens: {distribution: fixed, tokens: 64, source: test}
          output_tokens: {distribution: fixed, tokens: 32, source: test}
      """)
    let runner = try Shipped.runner()
    let alone = try #require(RunSummary(runner.run(base), requests: 0..<300)[.endToEndMean])
    let goal = CapacityGoal(
      .objectives(ServiceObjective(endToEnd: Seconds(alone * 1.5))), goodShare: 1)
    let search = try CapacitySearch(base, CapacitySearch.Settings(goal: goal, tolerance: 0.002), runner: runner)
    let bracket = try #require(search.bracket)
    #expect(search.converged)
    // The line of 300 requests may grow to half a service time: 0.5 / 300 more than the service rate.
    let expected = (1 + 0.5 / 299) / alone
    #expect(abs(bracket.lowerBound - expected) < 0.004 * expected, "\(bracket) against \(expected)")
    #expect(search.trials.allSatisfy { $0.meets == ($0.rate <= bracket.lowerBound) })
  }

  @Test func `readers' deadlines are a goal without objectives`() throws {
    let search = try CapacitySearch(
      scenario(), CapacitySearch.Settings(goal: .standard, tolerance: 0.2), runner: Shipped.runner())
    let capacity = try #require(search.capacity)
    #expect(capacity > 0 && search.trials.contains { !$0.meets })
  }

  @Test func `a closed loop has no capacity`() throws {
    let loop = try scenario("traffic: closed-loop")
    #expect(throws: ScenarioError.self) {
      try CapacitySearch(loop, CapacitySearch.Settings(goal: .standard), runner: Shipped.runner())
    }
  }
}
