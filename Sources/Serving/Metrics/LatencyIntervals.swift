import Statistics

/// How far a run's means and percentiles may be off, from batches of requests in the order they ended.
///
/// Intervals are of the steady state: where the run's beginning differs from the rest, it is cut off, so an interval may
/// lie beside the mean of all requests. Constant memory: 64 batches at most, each a histogram of bins of 2 %.
package struct LatencyIntervals: Sendable {
  package private(set) var queueTime = BatchQuantile(bins)
  package private(set) var timeToFirstToken = BatchQuantile(bins)
  package private(set) var timePerOutputToken = BatchQuantile(bins)
  package private(set) var endToEnd = BatchQuantile(bins)

  /// Seconds.
  private static let bins = LogBins(range: 1e-6...1e5)

  package init() {}

  /// - Parameter record: Of a completed request.
  mutating func add(_ record: RequestRecord) {
    queueTime.add(Double(record.queueTime) * 1e-9)
    timeToFirstToken.add(Double(record.timeToFirstToken) * 1e-9)
    endToEnd.add(Double(record.endToEnd) * 1e-9)
    if let time = record.timePerOutputToken { timePerOutputToken.add(Double(time) * 1e-9) }
  }
}
