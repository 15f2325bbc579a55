import Statistics

/// How far predictions lie from measurements, as shares of the measured value.
package struct ErrorSummary: Sendable, Equatable {
  package let count: Int
  /// Mean, median and 90th percentile of absolute errors, and the mean signed error.
  package let mean: Double
  package let median: Double
  package let ninetieth: Double
  package let bias: Double

  /// - Parameter ratios: Predicted over measured.
  /// - Returns: Nothing for no rows.
  package init?(ratios: [Double]) {
    guard !ratios.isEmpty else { return nil }
    let errors = ratios.map { $0 - 1 }
    let sizes = errors.map(abs)
    count = ratios.count
    mean = sizes.reduce(0, +) / Double(count)
    median = Quantile.median(sizes)
    ninetieth = Quantile.value(sizes, at: 0.9)
    bias = errors.reduce(0, +) / Double(count)
  }
}
