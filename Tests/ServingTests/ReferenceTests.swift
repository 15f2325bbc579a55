import Quantities
import Testing

@testable import Serving

/// The engine's calendars and sums against a loop over every sequence.
@Suite struct ReferenceTests {
  @Test func `the engine agrees with the reference engine on every record of 400 random replays`() throws {
    var preempted = 0
    var rejected = 0
    for seed in 0..<400 {
      let scenario = try Scenario(seed: seed)
      let reference = try ReferenceEngine(scenario)
      let run = try scenario.run()
      let lines = run.records.map(\.line)
      // Requests that end in one step may be reported in any order.
      try #require(lines.sorted() == reference.lines.sorted(), "\(scenario)")
      let metrics = run.result.metrics
      try #require(run.result.preemptions == reference.preemptions, "\(scenario)")
      try #require(metrics.steps == reference.steps, "\(scenario)")
      try #require(metrics.busyNanoseconds == reference.busy, "\(scenario)")
      try #require(metrics.energy == reference.energy, "\(scenario)")
      try #require(run.result.end == reference.end, "\(scenario)")
      try #require(run.result.idleEnergy == Watts(10.0) * Seconds(Double(reference.idle) / 1e9), "\(scenario)")
      try #require(metrics.peakBlocks == reference.peakBlocks, "\(scenario)")
      try #require(metrics.peakWaiting == reference.peakWaiting, "\(scenario)")
      try #require(metrics.outputTokens == reference.outputTokens, "\(scenario)")
      try #require(metrics.inputTokens == reference.inputTokens, "\(scenario)")
      try #require(metrics.interTokenLatency.count == reference.gaps.count, "\(scenario)")
      try #require(
        metrics.interTokenLatency.maximum == reference.gaps.max().map { Seconds(Double($0) / 1e9) }, "\(scenario)")
      let mean = Double(reference.gaps.reduce(0, +)) / Double(reference.gaps.count) / 1e9
      if let found = metrics.interTokenLatency.mean { #expect(abs(found.value - mean) <= 1e-12 * mean, "\(scenario)") }
      preempted += reference.preemptions
      rejected += metrics.rejected
    }
    // The scenarios are worth something only while they reach the rare paths.
    #expect(preempted > 400, "\(preempted)")
    #expect(rejected > 40, "\(rejected)")
  }
}
