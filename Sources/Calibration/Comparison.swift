import CostModels
/// Measured rows beside their predictions, and how far apart they lie by group.
package struct Comparison: Sendable {
  package let pairs: [(row: PreparedRun, predicted: MetricValues)]

  package init(_ rows: [PreparedRun], _ predicted: [MetricValues]) { pairs = Array(zip(rows, predicted)) }

  /// One line of an error table.
  package struct Line: Sendable {
    package let metric: Metric
    /// What rows are grouped by, and the group.
    package let group: String
    package let value: String
    package let summary: ErrorSummary
  }

  /// Errors of all rows, then by device, runtime, both, model and batch, for each metric measured.
  package func lines() -> [Line] {
    let groupings: [(String, (PreparedRun) -> String)] = [
      ("all", { _ in "all" }), ("device", { $0.device }), ("runtime", { $0.runtime }),
      ("device and runtime", { "\($0.device), \($0.runtime)" }), ("model", { $0.model }),
      ("batch", { Self.padded($0.run.batch.sequences) }),
    ]
    return Metric.allCases.flatMap { metric in
      groupings.flatMap { group, key in lines(metric, group, key) }
    }
  }

  private func lines(_ metric: Metric, _ group: String, _ key: (PreparedRun) -> String) -> [Line] {
    FoldedFit.grouped(pairs, by: { key($0.row) }).compactMap { name, members in
      ErrorSummary(ratios: ratios(metric, members)).map {
        Line(metric: metric, group: group, value: String(name.drop { $0 == "0" }), summary: $0)
      }
    }
  }

  /// A group of rows and its share of the sum of absolute errors.
  package struct ErrorShare: Sendable {
    package let group: String
    package let summary: ErrorSummary
    package let share: Double
  }

  /// The groups of one device, runtime, model and number of devices whose errors add up to most.
  package func largestErrors(_ metric: Metric, count: Int) -> [ErrorShare] {
    guard let all = summary(metric) else { return [] }
    let total = max(all.mean * Double(all.count), .leastNormalMagnitude)
    let groups = FoldedFit.grouped(pairs) { pair in
      "\(pair.row.device) x \(pair.row.run.deviceCount), \(pair.row.runtime), \(pair.row.model)"
    }
    let shares = groups.compactMap { name, members in
      ErrorSummary(ratios: ratios(metric, members)).map {
        ErrorShare(group: name, summary: $0, share: $0.mean * Double($0.count) / total)
      }
    }
    return Array(shares.sorted { ($1.share, $0.group) < ($0.share, $1.group) }.prefix(count))
  }

  /// Errors of all rows in one metric.
  package func summary(_ metric: Metric) -> ErrorSummary? { ErrorSummary(ratios: ratios(metric, pairs)) }

  /// Errors of all rows in each metric that any has.
  package func summaries(_ metrics: [Metric]) -> [(metric: Metric, summary: ErrorSummary)] {
    metrics.compactMap { metric in summary(metric).map { (metric, $0) } }
  }

  private func ratios(_ metric: Metric, _ members: [(row: PreparedRun, predicted: MetricValues)]) -> [Double] {
    members.compactMap { row, predicted in
      guard let measured = row.run.measured[metric], let value = predicted[metric] else { return nil }
      return value / measured
    }
  }

  /// So that names of numbers sort as numbers do.
  private static func padded(_ number: Int) -> String {
    String(repeating: "0", count: max(0, 7 - String(number).count)) + String(number)
  }
}
