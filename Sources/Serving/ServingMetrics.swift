import Histogram
import Quantities

/// What a run is measured by, gathered in constant memory.
///
/// Percentiles come from high-dynamic-range histograms with three significant digits: a reported percentile is within
/// 0.1 % of a recorded value. Means, counts and extremes are exact.
package struct ServingMetrics: Sendable {
  package private(set) var timeToFirstToken = LatencyDistribution()
  package private(set) var timePerOutputToken = LatencyDistribution()
  package private(set) var interTokenLatency = LatencyDistribution()
  package private(set) var endToEnd = LatencyDistribution()
  package private(set) var queueTime = LatencyDistribution()
  package internal(set) var completed = 0
  package internal(set) var rejected = 0
  package internal(set) var unfinished = 0
  /// Prompt tokens prefilled once, and answer tokens generated.
  package internal(set) var inputTokens = 0
  package internal(set) var outputTokens = 0
  package internal(set) var steps = 0
  package internal(set) var busyNanoseconds: Int64 = 0
  package internal(set) var energy = Joules.zero
  /// Integrals over time, for means: used KV blocks, and sequences in the batch while busy.
  var blockNanoseconds = 0.0
  var sequenceNanoseconds = 0.0
  package internal(set) var peakBlocks = 0
  package internal(set) var peakWaiting = 0

  mutating func addGap(_ nanoseconds: Int64, count: Int) { interTokenLatency.add(nanoseconds, count: count) }

  mutating func add(_ record: RequestRecord) {
    completed += 1
    timeToFirstToken.add(record.timeToFirstToken)
    endToEnd.add(record.endToEnd)
    queueTime.add(record.queueTime)
    if let time = record.timePerOutputToken { timePerOutputToken.add(time) }
  }

  /// Books a step of some length with so many sequences and used blocks.
  mutating func addStep(_ nanoseconds: Int64, energy: Joules, sequences: Int, blocks: Int) {
    steps += 1
    busyNanoseconds += nanoseconds
    self.energy += energy
    sequenceNanoseconds += Double(nanoseconds) * Double(sequences)
    blockNanoseconds += Double(nanoseconds) * Double(blocks)
    peakBlocks = max(peakBlocks, blocks)
  }
}

/// Durations of one kind.
package struct LatencyDistribution: Sendable {
  private var histogram = Histogram<UInt64>(
    lowestDiscernibleValue: 1000, highestTrackableValue: 1 << 50, numberOfSignificantValueDigits: .three)
  private var sum = 0.0
  package private(set) var count = 0
  private var largest: Int64 = 0

  /// Longest duration that keeps its place among the percentiles: 13 days.
  private static let longest = UInt64(1) << 50

  mutating func add(_ nanoseconds: Int64, count: Int = 1) {
    _ = histogram.record(min(UInt64(max(0, nanoseconds)), Self.longest), count: UInt64(count))
    sum += Double(nanoseconds) * Double(count)
    self.count += count
    largest = max(largest, nanoseconds)
  }

  /// The duration that so many per cent do not exceed; nothing when there are none.
  package func percentile(_ percent: Double) -> Seconds? {
    count > 0 ? Seconds(Double(min(Int64(histogram.valueAtPercentile(percent)), largest)) / 1e9) : nil
  }

  package var mean: Seconds? { count > 0 ? Seconds(sum / Double(count) / 1e9) : nil }

  package var maximum: Seconds? { count > 0 ? Seconds(Double(largest) / 1e9) : nil }
}
