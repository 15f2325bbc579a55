import CostModels

/// Predictions of rows by fits that did not see them, for the errors and intervals that a calibration states.
struct HeldPredictions {
  private let parts: Comparison
  /// Errors leaving a part (a model) out, a device out, and the edge of the sizes out.
  private let own: IntervalFit
  private let moved: IntervalFit
  private let edges: IntervalFit

  init(_ fits: FoldedFit, kind: DatasetKind) throws {
    let rows = fits.set.runs
    let left = try fits.predictions(leavingOut: kind.fold)
    parts = Comparison(rows, left)
    own = IntervalFit(rows, left, group: fits.own, part: { $0.model })
    moved = IntervalFit(
      rows, try fits.predictions(leavingOut: .device), group: Self.family, part: { $0.device })
    edges = IntervalFit(
      rows, try fits.predictions(leavingOut: .edge), group: fits.own, part: { $0.model })
  }

  private static func family(_ row: PreparedRun) -> String {
    "\(row.deviceClass) by \(row.vendor) under \(row.runtime)"
  }

  /// Errors of a target's rows; a class has none of its own, as each of its devices has a file.
  func summaries(
    _ rows: [PreparedRun], _ target: FittedCalibration.Target, _ metrics: [Metric]
  ) -> [(metric: Metric, summary: ErrorSummary)] {
    guard !target.isShared else { return [] }
    let wanted = Set(rows.map(\.run.id))
    let pairs = parts.pairs.filter { wanted.contains($0.row.run.id) }
    return Comparison(pairs.map(\.row), pairs.map(\.predicted)).summaries(metrics)
  }

  /// Inside the range: errors on models (a device's own file) or devices (a class's) that the fit did not see. Outside:
  /// errors at the edge of a fit to middling sizes, and never less than inside.
  func interval(_ rows: [PreparedRun], _ target: FittedCalibration.Target) -> PredictionInterval {
    let group = target.isShared ? Self.family(rows[0]) : fitsOwn(rows[0], target)
    let inside = (target.isShared ? moved : own).factors(group: group)
    let far = edges.factors(group: fitsOwn(rows[0], target))
    var outside = inside
    for metric in inside.present {
      guard let near = inside[metric], let edge = far[metric] else { continue }
      outside[metric] =
        target.isShared
        ? near * max(1, edge / (own.factors(group: fitsOwn(rows[0], target))[metric] ?? near)) : max(near, edge)
    }
    return PredictionInterval(level: IntervalFit.level, inside: inside, outside: outside)
  }

  private func fitsOwn(_ row: PreparedRun, _ target: FittedCalibration.Target) -> String {
    if case .anyRuntime = target { "\(row.deviceClass)" } else { "\(row.device) under \(row.runtime)" }
  }
}
