import EventKernel
import Execution
import Histogram
import Quantities
import Workloads
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
      try #require(metrics.busyNanoseconds == reference.busy / 1000, "\(scenario)")
      try #require(metrics.energy == Joules(Double(reference.energy) / 1e9), "\(scenario)")
      try #require(run.result.end == reference.end, "\(scenario)")
      try #require(run.result.idleEnergy == Watts(10.0) * Seconds(Double(reference.idle) / 1e9), "\(scenario)")
      try #require(metrics.peakBlocks == reference.peakBlocks, "\(scenario)")
      try #require(metrics.peakWaiting == reference.peakWaiting, "\(scenario)")
      try #require(metrics.outputTokens == reference.outputTokens, "\(scenario)")
      try #require(metrics.inputTokens == reference.inputTokens, "\(scenario)")
      try #require(metrics.interTokenLatency.count == reference.gaps.count, "\(scenario)")
      // A gap is the step's own time, within a nanosecond of the difference of the clock.
      let longest = Double(reference.gaps.max() ?? 0) / 1e9
      try #require(abs((metrics.interTokenLatency.maximum?.value ?? 0) - longest) < 1.5e-9, "\(scenario)")
      let mean = Double(reference.gaps.reduce(0, +)) / Double(max(1, reference.gaps.count)) / 1e9
      if let found = metrics.interTokenLatency.mean { #expect(abs(found.value - mean) < 1e-9, "\(scenario)") }
      preempted += reference.preemptions
      rejected += metrics.rejected
    }
    // The scenarios are worth something only while they reach the rare paths.
    #expect(preempted > 400, "\(preempted)")
    #expect(rejected > 40, "\(rejected)")
  }
}

/// Spans of decode steps against the same steps one by one.
@Suite struct SpanTests {
  private func run(_ scenario: Scenario, manySteps: Bool) throws -> (lines: [String], result: ServingResult) {
    var options = ReplicaOptions()
    options.takesManySteps = manySteps
    let replica = try ReplicaPlan(scenario.deployment, limits: scenario.limits, options: options)
    var engine = try ServingEngine(ClusterPlan(replica))
    var source: any RequestSource = ListSource(scenario.requests)
    var lines: [String] = []
    let result = try engine.run(&source, observer: .init(onEnd: { lines.append($0.line) }))
    return (lines, result)
  }

  @Test func `many steps at once are the same steps, bit for bit, preemptions included`() throws {
    var preempted = 0
    for seed in 2000..<2300 {
      let scenario = try Scenario(seed: seed)
      let (many, manyResult) = try run(scenario, manySteps: true)
      let (single, singleResult) = try run(scenario, manySteps: false)
      try #require(many == single, "\(scenario)")
      let (a, b) = (manyResult.metrics, singleResult.metrics)
      #expect(a.steps == b.steps && a.energy == b.energy && a.busyNanoseconds == b.busyNanoseconds, "\(scenario)")
      #expect(a.meanBlocks == b.meanBlocks && a.peakBlocks == b.peakBlocks, "\(scenario)")
      #expect(a.meanBatch == b.meanBatch && a.outputTokens == b.outputTokens, "\(scenario)")
      #expect(a.interTokenLatency == b.interTokenLatency, "\(scenario)")
      #expect(manyResult.idleEnergy == singleResult.idleEnergy && manyResult.end == singleResult.end)
      preempted += manyResult.preemptions
    }
    #expect(preempted > 200, "\(preempted)")
  }
}

@Suite struct LatencyDistributionTests {
  @Test(arguments: [DurationHistogram.Precision.percent, .permille])
  func `percentiles are those of the HdrHistogram library`(precision: DurationHistogram.Precision) {
    var random = RandomStream(seed: 3, name: "durations")
    for _ in 0..<20 {
      var library = Histogram<UInt64>(
        lowestDiscernibleValue: 1000, highestTrackableValue: 1 << 50,
        numberOfSignificantValueDigits: precision == .percent ? .two : .three)
      var own = DurationHistogram(precision)
      var largest: UInt64 = 0
      for _ in 0..<1 + random.integer(below: 2000) {
        let value = Int64(random.bits() >> UInt64(14 + random.integer(below: 50)))
        let count = 1 + random.integer(below: 3)
        library.record(UInt64(value), count: UInt64(count))
        own.record(value, count: count)
        largest = max(largest, UInt64(value))
        #expect(UInt64(own.bucketTop(value)) == library.highestEquivalentForValue(UInt64(value)))
      }
      // The library says its largest value where that lies in the bucket; a distribution does the same.
      for percent in [0.01, 1, 25, 50, 90, 99, 99.9, 100] {
        let expected = min(library.valueAtPercentile(percent), largest)
        #expect(min(UInt64(own.percentile(percent)), largest) == expected, "\(percent)")
      }
    }
  }

  @Test func `histograms add up to the histogram of all`() {
    var random = RandomStream(seed: 5, name: "durations")
    var parts = [DurationHistogram(), DurationHistogram()]
    var all = DurationHistogram()
    for _ in 0..<5000 {
      let value = Int64(random.bits() >> UInt64(14 + random.integer(below: 50)))
      parts[random.integer(below: 2)].record(value)
      all.record(value)
    }
    parts[0].add(parts[1])
    #expect(parts[0] == all)
  }

  @Test func `evenly growing step times are booked as one by one`() {
    var random = RandomStream(seed: 4, name: "spans")
    for _ in 0..<300 {
      let times = StepTimes(
        first: Int64(random.integer(below: 20_000_000_000)),
        growth: Int64(random.integer(below: 3) * random.integer(below: 4_000_000)),
        count: 1 + random.integer(below: 300))
      var together = LatencyDistribution()
      var single = LatencyDistribution()
      together.add(times, sequences: 3)
      for index in 0..<times.count {
        single.add(StepTimes(first: times.first + times.growth * Int64(index), growth: 0, count: 1), sequences: 3)
      }
      #expect(together == single, "\(times)")
    }
  }
}
