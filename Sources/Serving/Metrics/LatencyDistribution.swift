import Execution
import Histogram
import Quantities

/// Durations of one kind, in constant memory.
///
/// Percentiles come from a high-dynamic-range histogram with three significant digits unless told otherwise: a
/// reported percentile is within 0.1 % of a recorded value. The mean, the count and the largest are exact.
package struct LatencyDistribution: Sendable, Equatable {
  private var histogram: Histogram<UInt64>
  private var picoseconds: Int128 = 0
  package private(set) var count = 0
  private var largest: Int64 = 0

  /// Longest duration that keeps its place among the percentiles: 13 days, in nanoseconds.
  private static let longest = Int64(1) << 50

  /// - Parameter digits: Three place a percentile within 0.1 % of a recorded value, two within 1 % in an eighth of the
  ///   memory.
  package init(digits: SignificantDigits = .three) {
    histogram = Histogram(
      lowestDiscernibleValue: 1000, highestTrackableValue: 1 << 50, numberOfSignificantValueDigits: digits)
  }

  mutating func add(_ nanoseconds: Int64, count: Int = 1) {
    record(nanoseconds, count)
    picoseconds += Int128(nanoseconds) * 1000 * Int128(count)
  }

  /// Adds step times, each as often as there are sequences.
  /// - Complexity: O(histogram buckets they fall in).
  mutating func add(_ times: StepTimes, sequences: Int) {
    picoseconds += Int128(times.sum) * Int128(sequences)
    if Self.rounded(times.first) == Self.rounded(times.last) {
      record(Self.rounded(times.first), times.count * sequences)
      return
    }
    var rest = times
    while rest.count > 0 {
      let top = Self.bucketTop(Self.rounded(rest.first))
      // Times that round to the bucket's top and no further.
      let same = top >= Self.longest ? rest.count : max(1, rest.count(upTo: top * 1000 + 499))
      record(Self.rounded(rest.first + rest.growth * Int64(same - 1)), same * sequences)
      rest = StepTimes(first: rest.first + rest.growth * Int64(same), growth: rest.growth, count: rest.count - same)
    }
  }

  /// The largest duration in one bucket with another: buckets are 512 ns wide, and 2^10 of them or more an octave.
  static func bucketTop(_ nanoseconds: Int64) -> Int64 {
    let value = min(nanoseconds, longest)
    let width = max(512, Int64(1) << Int64(max(0, 53 - value.leadingZeroBitCount)))
    return value | (width - 1)
  }

  private static func rounded(_ picoseconds: Int64) -> Int64 { (picoseconds + 500) / 1000 }

  private mutating func record(_ nanoseconds: Int64, _ count: Int) {
    _ = histogram.record(UInt64(min(max(0, nanoseconds), Self.longest)), count: UInt64(count))
    self.count += count
    largest = max(largest, nanoseconds)
  }

  /// Adds another distribution's durations.
  package mutating func add(_ other: LatencyDistribution) {
    histogram.add(other.histogram)
    picoseconds += other.picoseconds
    count += other.count
    largest = max(largest, other.largest)
  }

  /// The duration that so many per cent do not exceed; nothing when there are none.
  package func percentile(_ percent: Double) -> Seconds? {
    count > 0 ? Seconds(Double(min(Int64(histogram.valueAtPercentile(percent)), largest)) / 1e9) : nil
  }

  package var mean: Seconds? { count > 0 ? Seconds(Double(picoseconds) / Double(count) / 1e12) : nil }

  package var maximum: Seconds? { count > 0 ? Seconds(Double(largest) / 1e9) : nil }
}
