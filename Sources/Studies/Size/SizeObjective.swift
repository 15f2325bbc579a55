import Quantities

/// A limit on a latency that a share of all requests must keep: TTFT within 1 s at P99.
package struct SizeObjective: Sendable, Hashable {
  package enum Metric: String, CaseIterable, Sendable {
    case timeToFirstToken = "TTFT"
    case timePerOutputToken = "TPOT"
    case endToEnd = "end to end"
  }

  package var metric: Metric
  package var limit: Seconds
  /// Share of requests within the limit, such as 0.99.
  package var share: Double

  package init(_ metric: Metric, within limit: Seconds, share: Double) {
    self.metric = metric
    self.limit = limit
    self.share = share
  }

  package var text: String {
    "\(metric.rawValue) within \(limit) for \(roundedText(share * 100, significantDigits: 4)) %"
  }
}

/// What a deployment must do.
package struct SizeObjectives: Sendable {
  package var limits: [SizeObjective]
  /// Share of requests whose readers miss at most a tenth of their token deadlines; nothing asks for none.
  package var fluidShare: Double?

  package init(_ limits: [SizeObjective], fluidShare: Double? = nil) {
    self.limits = limits
    self.fluidShare = fluidShare
  }

  package var text: String {
    (limits.map(\.text)
      + (fluidShare.map { ["fluid answers for \(roundedText($0 * 100, significantDigits: 4)) %"] } ?? []))
      .joined(separator: ", ")
  }
}
