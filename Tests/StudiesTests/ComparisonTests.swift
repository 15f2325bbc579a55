import Execution
import Serving
import Studies
import Testing

@Suite struct ComparisonTests {
  @Test func `a scenario does not differ from itself`() throws {
    let same = try scenario("objectives: {ttft: 1 s}")
    let comparison = try ScenarioComparison([same, same], replications: 3, runner: Shipped.runner())
    #expect(comparison.replications == 3 && !comparison.isOfStretches)
    for metric in RunMetric.allCases {
      guard let interval = comparison.differenceInterval(metric, of: 1) else { continue }
      #expect(interval.estimate == 0 && interval.halfWidth == 0 && !interval.excludes(0), "\(metric)")
    }
    #expect(comparison.value(.goodShare, of: 0) != nil)
  }

  @Test func `all scenarios serve the traffic of the first`() throws {
    let slow = try scenario("traffic: {name: chat-short, rate_per_s: 1}", "seed: 9")
    let comparison = try ScenarioComparison([try scenario(), slow], replications: 2, runner: Shipped.runner())
    #expect(comparison.difference(.endToEndMean, of: 1) == 0)
  }

  @Test func `a slower way to serve is told from chance, and pairing narrows the interval`() throws {
    let usual = try scenario("traffic: {name: chat-short, rate_per_s: 20}")
    let few = try scenario("limits: {max_num_seqs: 16}")
    let comparison = try ScenarioComparison([usual, few], replications: 6, runner: Shipped.runner())
    let difference = try #require(comparison.differenceInterval(.endToEndMean, of: 1))
    #expect(difference.estimate > 0 || difference.estimate < 0)
    let alone = try #require(comparison.interval(.tpotMean, of: 0))
    let paired = try #require(comparison.differenceInterval(.tpotMean, of: 1))
    #expect(paired.halfWidth < 2 * alone.halfWidth)
  }

  @Test func `a trace is cut into stretches, and energy is known of the whole alone`() throws {
    let scratch = try Scratch()
    let rows = (0..<400).map { "\(Double($0) / 4),\(50 + $0 % 7),\(20 + $0 % 5)" }
    let path = try scratch.write(
      "t.csv", "arrival_s,input_tokens,output_tokens\n" + rows.joined(separator: "\n") + "\n")
    let traced = try scenario("traffic: {trace: \(path)}", "warm_up: {requests: 100}")
    let comparison = try ScenarioComparison([traced, traced], replications: 5, runner: Shipped.runner())
    #expect(comparison.isOfStretches && comparison.replications == ScenarioComparison.stretches)
    #expect(comparison.warmUp == 100 && comparison.requests == 300)
    #expect(comparison.differenceInterval(.ttftMean, of: 1)?.estimate == 0)
    #expect(comparison.value(.energyPerToken, of: 0) != nil)
    #expect(comparison.differenceInterval(.energyPerToken, of: 1) == nil)
  }

  @Test func `work is done once for each index, and the first error ends it`() throws {
    #expect(try ParallelWork.map(100) { $0 * $0 } == (0..<100).map { $0 * $0 })
    struct Fault: Error {}
    #expect(throws: Fault.self) { try ParallelWork.map(100) { if $0 == 5 { throw Fault() } } }
  }
}
