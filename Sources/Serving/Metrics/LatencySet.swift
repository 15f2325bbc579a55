/// The latencies that one request has one of.
package struct LatencySet: Sendable, Equatable {
  package private(set) var queueTime: LatencyDistribution
  package private(set) var timeToFirstToken: LatencyDistribution
  package private(set) var timePerOutputToken: LatencyDistribution
  package private(set) var endToEnd: LatencyDistribution

  init(_ precision: DurationHistogram.Precision = .permille) {
    let empty = LatencyDistribution(precision)
    queueTime = empty
    timeToFirstToken = empty
    timePerOutputToken = empty
    endToEnd = empty
  }

  /// - Parameter record: Of a completed request.
  mutating func add(_ record: RequestRecord) {
    queueTime.add(record.queueTime)
    timeToFirstToken.add(record.timeToFirstToken)
    endToEnd.add(record.endToEnd)
    if let time = record.timePerOutputToken { timePerOutputToken.add(time) }
  }
}
