/// Counts of durations in buckets as wide as a fixed share of them, which keeps percentiles of any stream in little memory.
///
/// The layout of a high-dynamic-range histogram (G. Tene, HdrHistogram): octaves of equally many buckets, found by a
/// shift. Buckets are 512 units wide or more; memory follows the longest duration.
package struct DurationHistogram: Sendable, Equatable {
  /// How closely a percentile is known.
  package enum Precision: Int, Sendable {
    /// Within 1 % of a recorded value, and within 0.1 %: the logarithm of the buckets in an octave.
    case percent = 7
    case permille = 10
  }

  private static let unitLog = 9
  private let octaveLog: Int
  private var counts: [UInt64] = []
  package private(set) var count = 0

  package init(_ precision: Precision = .permille) { octaveLog = precision.rawValue }

  /// - Parameters:
  ///   - value: Not negative.
  ///   - count: How often it occurred.
  @inline(__always)
  package mutating func record(_ value: Int64, count many: Int = 1) {
    let index = index(value)
    if index >= counts.count { grow(to: index) }
    counts[index] &+= UInt64(truncatingIfNeeded: many)
    count += many
  }

  /// The largest value in one bucket with another.
  @inline(__always)
  package func bucketTop(_ value: Int64) -> Int64 {
    value | (Int64(1) &<< Int64(Self.unitLog &+ doublings(value)) &- 1)
  }

  /// How often the buckets' width has doubled at a value.
  @inline(__always)
  private func doublings(_ value: Int64) -> Int {
    max(0, 63 &- Self.unitLog &- octaveLog &- value.leadingZeroBitCount)
  }

  @inline(__always)
  private func index(_ value: Int64) -> Int {
    let doublings = doublings(value)
    return doublings &<< octaveLog &+ Int(value &>> Int64(Self.unitLog &+ doublings))
  }

  /// To the end of an octave, so that equal contents have equal memory.
  private mutating func grow(to index: Int) {
    let size = (index >> octaveLog + 1) << octaveLog
    counts.append(contentsOf: repeatElement(0, count: size - counts.count))
  }

  package mutating func add(_ other: DurationHistogram) {
    precondition(octaveLog == other.octaveLog, "histograms add up only where they are equally precise")
    if let last = other.counts.indices.last, last >= counts.count { grow(to: last) }
    for index in other.counts.indices { counts[index] &+= other.counts[index] }
    count += other.count
  }

  /// The largest value of the bucket that so many per cent of the values do not exceed.
  /// - Returns: 0 for an empty histogram.
  /// - Complexity: O(buckets).
  package func percentile(_ percent: Double) -> Int64 {
    // One step below, lest rounding up to whole values goes one too far.
    let share = min(max(percent.nextDown, 0), 100) * Double(count) / 100
    let rank = max(1, UInt64(share.rounded(.up)))
    var seen: UInt64 = 0
    for index in counts.indices {
      seen += counts[index]
      if seen >= rank { return bucketTop(lowest(index)) }
    }
    return 0
  }

  /// The smallest value of a bucket.
  private func lowest(_ index: Int) -> Int64 {
    let doublings = max(0, index >> octaveLog - 1)
    return Int64(index - doublings << octaveLog) << Int64(Self.unitLog + doublings)
  }
}
