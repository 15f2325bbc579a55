import CostModels
import Foundation
import Statistics

/// Derives intervals from errors on rows that fits did not see, and measures how many such rows they cover.
package struct IntervalFit: Sendable {
  package static let level = 0.9

  /// One row's error in one metric, with what was held out when it was predicted.
  package struct HeldError: Sendable {
    package let metric: Metric
    /// Rows whose errors are alike: those of one device under one runtime, or of one class.
    package let group: String
    /// The part of the group that the fit did not see.
    package let part: String
    /// The logarithm of predicted over measured, and its size.
    package let error: Double
    package var size: Double { abs(error) }
  }

  package let errors: [HeldError]
  /// Whether the part that a new row is of is itself new: a device that nothing was measured on.
  private let isNewPart: Bool

  package init(
    _ rows: [PreparedRun], _ predicted: [MetricValues], group: (PreparedRun) -> String,
    part: (PreparedRun) -> String, isNewPart: Bool = false
  ) {
    self.isNewPart = isNewPart
    errors = zip(rows, predicted).flatMap { row, values in
      row.run.measured.present.compactMap { metric -> HeldError? in
        guard let measured = row.run.measured[metric], let value = values[metric] else { return nil }
        return HeldError(metric: metric, group: group(row), part: part(row), error: log(value / measured))
      }
    }
  }

  /// The factor for new rows of a group; from all groups where it has too few rows of its own to promise the level.
  package func factor(_ metric: Metric, group: String) -> Double? {
    factor(among: errors.filter { $0.metric == metric }, group: group)
  }

  private func factor(among errors: [HeldError], group: String) -> Double? {
    let own = errors.filter { $0.group == group }
    let sample = own.count >= 2 * Conformal.fewest(level: Self.level) ? own : errors
    let bound = (isNewPart ? newPart(sample) : nil) ?? Conformal.bound(sample.map(\.size), level: Self.level)
    return bound.map(exp)
  }

  private func newPart(_ sample: [HeldError]) -> Double? {
    NewGroup.bound(
      FoldedFit.grouped(sample, by: \.part).map { $0.members.map(\.error) }, level: Self.level)
  }

  /// Factors of a group, for the metrics that have one.
  package func factors(group: String) -> MetricValues {
    var values = MetricValues()
    for metric in Metric.allCases { values[metric] = factor(metric, group: group) }
    return values
  }

  /// The share of rows within intervals that were derived without their part, and how many rows that was asked of.
  ///
  /// The part is held out twice: no fit that predicts it, and no error that its interval rests on, has seen it.
  package func coverage(_ metric: Metric) -> (share: Double, rows: Int)? {
    let all = errors.filter { $0.metric == metric }
    var covered = 0
    var rows = 0
    for (_, members) in FoldedFit.grouped(all, by: { $0.group + ": " + $0.part }) {
      let (group, part) = (members[0].group, members[0].part)
      let rest = all.filter { $0.part != part || $0.group != group }
      guard let factor = factor(among: rest, group: group) else { continue }
      covered += members.count { $0.size <= log(factor) }
      rows += members.count
    }
    return rows > 0 ? (Double(covered) / Double(rows), rows) : nil
  }
}
