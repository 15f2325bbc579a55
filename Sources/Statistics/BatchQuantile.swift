/// Percentiles of a correlated series with confidence intervals, in constant memory.
///
/// The estimate comes from all observations after the warm-up, its error from how far the percentiles of batches lie
/// from it (sectioning: S. Asmussen and P. Glynn, "Stochastic Simulation", 2007, III.5). Each batch is a histogram.
/// A value is known to one bin, two per cent unless said otherwise.
package struct BatchQuantile: Sendable {
  private var batches: MergingBatches<LogHistogram>
  /// The same observations in the same batches, to find the warm-up.
  private var means: BatchMeans { BatchMeans(batches.map { BatchMeans.Sum(value: $0.sum) }) }
  /// No merging below so many batches, for want of independence and for want of observations.
  private static let fewest = (independent: 8, filled: 5)
  /// Observations that a batch needs beyond the percentile, for its own percentile to be hardly biased.
  private static let beyond = 10.0

  /// - Parameters:
  ///   - bins: For example 1 us to 3 h. Memory is 4 bytes x bins x twice `least`.
  ///   - least: Batches that remain when neighbours merge.
  package init(_ bins: LogBins, least: Int = 32) {
    batches = MergingBatches(least: least, empty: LogHistogram(bins))
  }

  package var count: Int { batches.count }

  /// - Parameter value: A finite number.
  package mutating func add(_ value: Double) { batches.add { $0.add(value) } }

  /// The mean of the same observations.
  package func mean(confidence: Double) -> BatchMeans.SteadyState? { means.steadyState(confidence: confidence) }

  /// A percentile after the warm-up, without the observations of a last, unfilled batch.
  /// - Parameter share: Between 0 and 1: 0.99 for the 99th percentile.
  /// - Returns: Nothing while there are too few observations beyond the percentile to say how wrong it may be.
  /// - Complexity: O(batches x bins).
  package func quantile(_ share: Double, confidence: Double) -> Interval? {
    var kept = Array(batches.full.dropFirst(means.warmUpBatches))
    let needed = Self.beyond / max(1e-12, min(share, 1 - share))
    func quantiles() -> [Double] { kept.compactMap { $0.quantile(share) } }
    while kept.count >= 2 * Self.fewest.filled, Double(kept[0].total) < needed {
      kept = MergingBatches.pairedFromEnd(kept)
    }
    while kept.count >= 2 * Self.fewest.independent, !WarmUp.looksIndependent(quantiles()) {
      kept = MergingBatches.pairedFromEnd(kept)
    }
    guard let first = kept.first, Double(first.total) >= needed else { return nil }
    let all = kept.dropFirst().reduce(into: first) { $0.merge($1) }
    return Interval.student(quantiles(), centre: all.quantile(share), confidence: confidence)
  }
}
