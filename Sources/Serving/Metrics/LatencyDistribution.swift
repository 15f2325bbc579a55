import Execution
import Quantities

/// Durations of one kind, in constant memory.
///
/// Percentiles come from a high-dynamic-range histogram: a reported percentile is within 0.1 % of a recorded value
/// unless told otherwise. The mean, the count and the largest are exact.
package struct LatencyDistribution: Sendable, Equatable {
  private var histogram: DurationHistogram
  private var picoseconds: Int128 = 0
  private var largest: Int64 = 0

  /// Longest duration that keeps its place among the percentiles: 13 days, in nanoseconds.
  private static let longest = Int64(1) << 50

  /// - Parameter precision: A percentile within 1 % of a recorded value takes an eighth of the memory.
  package init(_ precision: DurationHistogram.Precision = .permille) { histogram = DurationHistogram(precision) }

  package var count: Int { histogram.count }

  mutating func add(_ nanoseconds: Int64, count: Int = 1) {
    record(nanoseconds, count)
    picoseconds &+= Int128(nanoseconds) &* Int128(1000 * count)
  }

  /// Adds step times, each as often as there are sequences.
  /// - Complexity: O(histogram buckets they fall in).
  mutating func add(_ times: StepTimes, sequences: Int) {
    picoseconds &+= Int128(times.sum) &* Int128(sequences)
    var first = times.first
    var left = times.count
    while left > 0 {
      let top = histogram.bucketTop(min(Self.rounded(first), Self.longest))
      // Times that round to the bucket's top and no further.
      let last = top >= Self.longest ? Int64.max : top * 1000 + 499
      let same = StepTimes(first: first, growth: times.growth, count: left).count(upTo: last)
      let count = max(1, same)
      record(Self.rounded(first + times.growth * Int64(count - 1)), count * sequences)
      first += times.growth * Int64(count)
      left -= count
    }
  }

  private static func rounded(_ picoseconds: Int64) -> Int64 { (picoseconds + 500) / 1000 }

  private mutating func record(_ nanoseconds: Int64, _ count: Int) {
    histogram.record(min(max(0, nanoseconds), Self.longest), count: count)
    largest = max(largest, nanoseconds)
  }

  /// Adds another distribution's durations.
  package mutating func add(_ other: LatencyDistribution) {
    histogram.add(other.histogram)
    picoseconds += other.picoseconds
    largest = max(largest, other.largest)
  }

  /// The duration that so many per cent do not exceed; nothing when there are none.
  package func percentile(_ percent: Double) -> Seconds? {
    count > 0 ? Seconds(Double(min(histogram.percentile(percent), largest)) / 1e9) : nil
  }

  package var mean: Seconds? { count > 0 ? Seconds(Double(picoseconds) / Double(count) / 1e12) : nil }

  package var maximum: Seconds? { count > 0 ? Seconds(Double(largest) / 1e9) : nil }
}
