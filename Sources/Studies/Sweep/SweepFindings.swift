import Documents
import Foundation
import Quantities
import Reporting
import Store

/// What the points of a sweep say together.
package struct SweepFindings: Sendable {
  /// Points with results, in order.
  package let points: [StoredPoint]
  /// Points without, by why, the commonest first.
  package let problems: [(problem: String, count: Int)]
  /// Fields that were varied, in order.
  package let fields: [String]
  /// Metrics that every point with results has, in the order of their names.
  package let metrics: [String]

  package init(_ all: [StoredPoint]) {
    points = all.filter { $0.problem == nil }
    let failed = Dictionary(grouping: all.compactMap(\.problem)) { $0 }.map { (problem: $0.key, count: $0.value.count) }
    problems = failed.sorted { ($1.count, $0.problem) < ($0.count, $1.problem) }
    fields = all.first?.settings.map(\.field) ?? []
    let found = points
    let names = found.first.map { Array($0.metrics.keys) } ?? []
    metrics = names.filter { name in found.allSatisfy { $0.metrics[name] != nil } }.sorted()
  }

  /// What is said of a metric that the points do not have.
  package func unknown(metric: String) -> String {
    let hint = nearestName(to: metric, among: metrics).map { "; did you mean '\($0)'?" } ?? ""
    return "no metric '\(metric)' in this sweep\(hint)"
  }

  // MARK: Pareto front

  /// Points that no other point beats in one metric without losing in another, in the order of the first metric.
  /// - Complexity: O(points^2 x goals).
  package func front(_ goals: [SweepGoal]) -> [StoredPoint] {
    let scores = points.map { point in goals.map { $0.score(point) } }
    let kept = points.indices.filter { index in
      guard scores[index].allSatisfy(\.isFinite) else { return false }
      return !points.indices.contains { other in
        let isNoWorse = zip(scores[other], scores[index]).allSatisfy(<=)
        // Of points that are equal in all of them, the first stands for all.
        return isNoWorse && (scores[other] != scores[index] || other < index)
      }
    }
    return kept.sorted { (scores[$0][0], $0) < (scores[$1][0], $1) }.map { points[$0] }
  }

  // MARK: Best under constraints

  package struct Best: Sendable {
    /// Nothing when no point meets all constraints.
    package var point: StoredPoint?
    /// How many points meet all of them.
    package var feasible: Int
    /// Where none does: the point that comes nearest, the constraint it misses most, and by what share of the limit.
    package var nearest: (point: StoredPoint, constraint: SweepConstraint, excess: Double)?
  }

  package func best(_ goal: SweepGoal, subjectTo constraints: [SweepConstraint]) -> Best {
    let feasible = points.filter { point in constraints.allSatisfy { $0.excess(of: point) <= 0 } }
    let ranked = feasible.filter { goal.score($0).isFinite }.min { goal.score($0) < goal.score($1) }
    guard ranked == nil else { return Best(point: ranked, feasible: feasible.count, nearest: nil) }
    let misses = points.compactMap { point -> (StoredPoint, SweepConstraint, Double)? in
      guard let worst = constraints.max(by: { $0.excess(of: point) < $1.excess(of: point) }) else { return nil }
      return (point, worst, worst.excess(of: point))
    }
    let nearest = misses.filter { $0.2.isFinite }.min { $0.2 < $1.2 }
    return Best(point: nil, feasible: 0, nearest: nearest.map { (point: $0.0, constraint: $0.1, excess: $0.2) })
  }

  // MARK: Elasticities

  package struct Slope: Sendable {
    package var field: String
    package var metric: String
    /// Per cent of the metric for one per cent of the field, all other fields held.
    package var elasticity: Double
    /// Share of the metric's variation that all fields together explain so.
    package var explained: Double
  }

  /// Elasticities of a metric to the fields that took different positive numbers: least squares on logarithms, with fields
  /// of words as classes of their own.
  /// - Returns: Nothing where there are too few points to tell.
  package func slopes(of metric: String) -> [Slope] {
    let used = points.filter { ($0.metrics[metric] ?? 0) > 0 }
    let numeric = fields.filter { field in
      let values = used.compactMap { $0.number(field) }
      return values.count == used.count && values.allSatisfy { $0 > 0 } && Set(values).count > 1
    }
    let classes = fields.filter { !numeric.contains($0) }.flatMap { field -> [(String, String)] in
      Set(used.compactMap { $0.text(field) }).sorted().dropFirst().map { (field, $0) }
    }
    guard !numeric.isEmpty, used.count > numeric.count + classes.count + 1 else { return [] }
    let rows = used.map { point in
      [1] + numeric.map { log(point.number($0) ?? 1) } + classes.map { point.text($0.0) == $0.1 ? 1 : 0 }
    }
    let targets = used.map { log($0.metrics[metric] ?? 1) }
    guard let fit = LeastSquares(rows, targets) else { return [] }
    return numeric.enumerated().map {
      Slope(field: $0.element, metric: metric, elasticity: fit.coefficients[$0.offset + 1], explained: fit.explained)
    }
  }

  // MARK: Rows

  /// One row a point: its settings, then its metrics.
  package func table(_ rows: [StoredPoint]? = nil, metrics shown: [String]? = nil) -> ResultTable {
    let shown = shown ?? metrics
    var table = ResultTable(
      columns: [ResultTable.Column("point")] + fields.map { ResultTable.Column($0) }
        + shown.map { ResultTable.Column($0, style: MetricStyle.style(of: $0)) })
    for point in rows ?? points {
      table.append(
        [.int(point.point)] + fields.map { field in point.cell(field) } + shown.map { .init(point.metrics[$0]) })
    }
    return table
  }
}

extension StoredPoint {
  package func text(_ field: String) -> String? { settings.first { $0.field == field }?.value }
  package func number(_ field: String) -> Double? { settings.first { $0.field == field }?.number }

  func cell(_ field: String) -> ResultTable.Cell {
    guard let text = text(field) else { return .missing }
    return Double(text).map { .number($0) } ?? .text(text)
  }

  /// What was set, for people: `parallelism.tensor 4, hardware h100-sxm`.
  package var settingText: String { settings.map { "\($0.field) \($0.value)" }.joined(separator: ", ") }
}

/// A metric that should be small, or large.
package struct SweepGoal: Sendable, Equatable {
  package var metric: String
  package var lowerIsBetter: Bool

  package init(_ metric: String, lowerIsBetter: Bool) {
    self.metric = metric
    self.lowerIsBetter = lowerIsBetter
  }

  /// Lower is better; infinite without the metric.
  func score(_ point: StoredPoint) -> Double {
    point.metrics[metric].map { lowerIsBetter ? $0 : -$0 } ?? .infinity
  }
}

/// A limit on a metric: `ttft_p99_s<=1`.
package struct SweepConstraint: Sendable, Equatable {
  package var metric: String
  package var isUpper: Bool
  package var limit: Double

  /// - Returns: Nothing for a text that is no constraint.
  package init?(_ text: String) {
    for (sign, isUpper) in [("<=", true), (">=", false)] {
      guard let range = text.range(of: sign) else { continue }
      let metric = text[..<range.lowerBound].filter { $0 != " " }
      guard !metric.isEmpty, let limit = Double(text[range.upperBound...].filter { $0 != " " }), limit.isFinite else {
        return nil
      }
      (self.metric, self.isUpper, self.limit) = (String(metric), isUpper, limit)
      return
    }
    return nil
  }

  package var text: String { "\(metric) \(isUpper ? "<=" : ">=") \(limit)" }

  /// By what share of the limit a point is beyond it; negative within, infinite without the metric.
  package func excess(of point: StoredPoint) -> Double {
    guard let value = point.metrics[metric] else { return .infinity }
    let over = isUpper ? value - limit : limit - value
    return limit == 0 ? over : over / abs(limit)
  }
}

/// How numbers of stored metrics read for people, by the unit in their names.
package enum MetricStyle {
  package static func style(of metric: String) -> ResultTable.Style {
    switch metric {
    case _ where metric.hasPrefix("usd"): .money
    case _ where metric.hasSuffix("_b_per_s"): .bandwidth
    case _ where metric.hasSuffix("_flops_per_s"): .computeRate
    case _ where metric.hasSuffix("_per_s"): .rate
    case _ where metric.hasSuffix("_s"): .time
    case _ where metric.hasSuffix("_j"): .energy
    case _ where metric.hasSuffix("_w"): .power
    case _ where metric.hasSuffix("_b"): .size
    case _ where metric.hasSuffix("_share") || metric.hasSuffix("_rate") || metric.hasPrefix("kv_occupancy"): .percent
    default: .plain
    }
  }

  /// Whether less of it is better, as far as its name tells.
  package static func lowerIsBetter(_ metric: String) -> Bool {
    !["tokens_per_s", "requests_per_s", "goodput_per_s", "good_share", "completed_share", "utilisation", "hit_rate"]
      .contains { metric.hasSuffix($0) }
  }
}

/// Ordinary least squares by elimination with pivots.
struct LeastSquares {
  let coefficients: [Double]
  /// Share of the targets' variation that the fit explains.
  let explained: Double

  /// - Returns: Nothing when the rows do not tell all coefficients apart.
  /// - Complexity: O(rows x columns^2 + columns^3).
  init?(_ rows: [[Double]], _ targets: [Double]) {
    let width = rows.first?.count ?? 0
    var matrix = (0..<width).map { i in
      (0..<width).map { j in rows.reduce(0) { $0 + $1[i] * $1[j] } } + [
        zip(rows, targets).reduce(0) { $0 + $1.0[i] * $1.1 }
      ]
    }
    for column in 0..<width {
      guard let pivot = (column..<width).max(by: { abs(matrix[$0][column]) < abs(matrix[$1][column]) }),
        abs(matrix[pivot][column]) > 1e-9 * Double(rows.count)
      else { return nil }
      matrix.swapAt(column, pivot)
      for row in 0..<width where row != column {
        let factor = matrix[row][column] / matrix[column][column]
        for index in column...width { matrix[row][index] -= factor * matrix[column][index] }
      }
    }
    let found = (0..<width).map { matrix[$0][width] / matrix[$0][$0] }
    let mean = targets.reduce(0, +) / Double(targets.count)
    let left = zip(rows, targets).reduce(0) { sum, pair in
      let fitted = zip(pair.0, found).reduce(0) { $0 + $1.0 * $1.1 }
      return sum + (pair.1 - fitted) * (pair.1 - fitted)
    }
    let all = targets.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    coefficients = found
    explained = all > 0 ? max(0, 1 - left / all) : 1
  }
}
