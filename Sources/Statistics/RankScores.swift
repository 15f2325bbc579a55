import EventKernel

/// Numbers, such as output lengths, as places in their own distribution, and back.
///
/// ```swift
/// let lengths = RankScores(sample: trace.map(\.outputTokens))
/// let score = lengths.score(of: request.outputTokens, &stream)
/// let guess = lengths.value(at: RankCorrelation.prediction(of: score, rho: rho, &stream))
/// ```
package struct RankScores: Sendable {
  private let sorted: [Int]

  /// - Returns: Nothing for an empty sample.
  package init?(sample: [Int]) {
    guard !sample.isEmpty else { return nil }
    sorted = sample.sorted()
  }

  /// The standard normal number that has a value's place; equal values get places at random among those they share, so
  /// that scores are normal whatever the sample.
  /// - Complexity: O(log sample).
  package func score(of value: Int, _ stream: inout RandomStream) -> Double {
    let (first, end) = (place { $0 < value }, place { $0 <= value })
    let rank = Double(first) + Double(end - first) * stream.openUniform()
    // Values beyond the sample lie half a place inside its ends.
    let inside = first == end ? min(Double(sorted.count) - 0.5, max(0.5, rank)) : rank
    return NormalQuantile.of(min(1 - 0x1p-53, max(0x1p-53, inside / Double(sorted.count))))
  }

  /// The sample's value at the place of a standard normal number.
  /// - Complexity: O(1).
  package func value(at score: Double) -> Int {
    let place = Int(PortableMath.normalCDF(score) * Double(sorted.count))
    return sorted[min(sorted.count - 1, max(0, place))]
  }

  /// How many values, from the smallest on, a predicate holds for.
  private func place(_ holds: (Int) -> Bool) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if holds(sorted[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
