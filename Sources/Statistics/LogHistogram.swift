/// Counts of values in logarithmic bins; adds up with others of the same bins.
///
/// A bin that has counted to 2^32 - 1 counts no further.
package struct LogHistogram: Mergeable {
  package let bins: LogBins
  package private(set) var total = 0
  private(set) var sum = 0.0
  private var counts: [UInt32] = []
  private var least = Double.infinity
  private var most = -Double.infinity

  package init(_ bins: LogBins) { self.bins = bins }

  package mutating func add(_ value: Double) {
    if counts.isEmpty { counts = [UInt32](repeating: 0, count: bins.count) }
    Self.add(1, to: &counts[bins.index(value)])
    total += 1
    sum += value
    least = min(least, value)
    most = max(most, value)
  }

  /// - Precondition: The other has the same bins.
  package mutating func merge(_ later: LogHistogram) {
    precondition(bins == later.bins, "histograms add up only over the same bins")
    guard !later.counts.isEmpty else { return }
    if counts.isEmpty { counts = [UInt32](repeating: 0, count: bins.count) }
    for index in counts.indices { Self.add(later.counts[index], to: &counts[index]) }
    total += later.total
    sum += later.sum
    least = min(least, later.least)
    most = max(most, later.most)
  }

  private static func add(_ more: UInt32, to count: inout UInt32) {
    let (sum, overflow) = count.addingReportingOverflow(more)
    count = overflow ? .max : sum
  }

  /// The value below which a share of all lies; never wrong by more than one bin inside the bins' range.
  /// - Parameter share: 0 to 1.
  /// - Returns: Nothing for an empty histogram.
  /// - Complexity: O(bins).
  package func quantile(_ share: Double) -> Double? {
    guard total > 0 else { return nil }
    let rank = min(1, max(0, share)) * Double(total)
    var below = 0.0
    for index in counts.indices where counts[index] > 0 {
      let inside = Double(counts[index])
      if below + inside >= rank {
        let value = bins.value(at: Double(index) + (rank - below) / inside)
        return min(most, max(least, value))
      }
      below += inside
    }
    return most
  }
}
