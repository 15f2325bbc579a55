/// How fast a reader may read so that few tokens come late.
package enum FluidTokenRate {
  /// So many equal gaps between tokens, one after another.
  package typealias Run = (gap: Int64, count: Int)

  /// The smallest time between tokens at which a request misses at most a share of its deadlines; the first token
  /// does not count.
  ///
  /// A longer time never leaves less slack at any token, so it never misses more deadlines, and halving finds the
  /// smallest exactly.
  /// - Parameter runs: The gaps after the first token, in nanoseconds.
  /// - Returns: Nanoseconds, at least 1; nothing for a request with no gap.
  /// - Complexity: O(runs x log(longest gap)).
  package static func deadline(_ runs: some Collection<Run>, misses share: Double = 0.1) -> Int64? {
    guard let longest = runs.lazy.filter({ $0.count > 0 }).map(\.gap).max() else { return nil }
    var (low, high): (Int64, Int64) = (0, max(1, longest))
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if missRate(runs, between: middle) <= share { high = middle } else { low = middle }
    }
    return high
  }

  private static func missRate(_ runs: some Collection<Run>, between: Int64) -> Double {
    var index = FluidityIndex(between: between)
    for run in runs { index.add(gap: run.gap, count: run.count) }
    return index.missRate ?? 0
  }

  /// Tokens per second: one over the 99th percentile (nearest rank) of the requests' deadlines.
  /// - Parameter deadlines: Nanoseconds, one a request, in any order.
  /// - Returns: Nothing without requests.
  /// - Complexity: O(n log n).
  package static func tokensPerSecond(_ deadlines: [Int64]) -> Double? {
    guard !deadlines.isEmpty else { return nil }
    // The smallest whole number not below 0.99 n.
    let rank = (99 * deadlines.count + 99) / 100
    return 1e9 / Double(deadlines.sorted()[rank - 1])
  }
}
