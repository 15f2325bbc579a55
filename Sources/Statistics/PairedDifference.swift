/// How a second run differs from a first one on the same arrivals.
///
/// Both runs see the same bursts, which cancel in the difference of each pair of batches: far smaller differences can
/// be told from chance than by two separate intervals.
package struct PairedDifference: Sendable {
  /// Means of the pairs of batches, after both runs' warm-up.
  private let first: [Double]
  private let second: [Double]
  private static let fewest = 10

  package init(_ first: NumberedBatches, _ second: NumberedBatches) {
    var (first, second) = (first, second)
    while first.span < second.span { first.widen() }
    while second.span < first.span { second.widen() }
    // A batch that either run left empty, because it refused all its requests, has no difference.
    let pairs = zip(first.full, second.full).filter { $0.count > 0 && $1.count > 0 }
    let means = (pairs.map(\.0.mean), pairs.map(\.1.mean))
    let warmUp = max(WarmUp.length(means.0), WarmUp.length(means.1))
    self.first = Array(means.0.dropFirst(warmUp))
    self.second = Array(means.1.dropFirst(warmUp))
  }

  /// Second minus first, in the observations' unit.
  /// - Returns: Nothing for fewer than two pairs of batches.
  package func difference(confidence: Double) -> Interval? {
    let pairs = independentPairs
    return Interval.student(zip(pairs.first, pairs.second).map { $1 - $0 }, confidence: confidence)
  }

  /// Second over first, by the jackknife: the spread of what each pair of batches contributes to the ratio.
  /// - Returns: Nothing for fewer than two pairs of batches, or where the first run's mean is zero or may be.
  package func ratio(confidence: Double) -> Interval? {
    let (first, second) = independentPairs
    let sums = (first.reduce(0, +), second.reduce(0, +))
    guard let size = Interval.student(first, confidence: confidence), size.excludes(0) else { return nil }
    let count = Double(first.count)
    let parts = zip(first, second).map { own in
      count * sums.1 / sums.0 - (count - 1) * (sums.1 - own.1) / (sums.0 - own.0)
    }
    return Interval.student(parts, confidence: confidence)
  }

  /// Pairs of batches, merged until their differences look independent.
  private var independentPairs: (first: [Double], second: [Double]) {
    var (first, second) = (first, second)
    while first.count >= 2 * Self.fewest, !WarmUp.looksIndependent(zip(first, second).map { $1 - $0 }) {
      (first, second) = (Self.halved(first), Self.halved(second))
    }
    return (first, second)
  }

  private static func halved(_ means: [Double]) -> [Double] {
    let start = means.count % 2
    return stride(from: start, to: means.count - 1, by: 2).map { (means[$0] + means[$0 + 1]) / 2 }
  }
}
