import CostModels

/// Predictions of rows by fits that did not see them, for the errors and intervals that a calibration states.
struct HeldPredictions {
  private let fits: FoldedFit
  private let parts: Comparison
  /// Errors leaving a part (a model, usually) out, a device out, and the edge of the sizes out.
  private let own: IntervalFit
  private let moved: IntervalFit
  /// The same for a maker of whom nothing was measured.
  private let foreign: IntervalFit
  private let edges: IntervalFit

  init(_ fits: FoldedFit, kind: DatasetKind) throws {
    self.fits = fits
    let rows = fits.set.runs
    let left = try fits.predictions(leavingOut: kind.fold)
    parts = Comparison(rows, left)
    own = IntervalFit(rows, left, group: fits.own, part: { $0.model })
    let elsewhere = try fits.predictions(leavingOut: .device)
    moved = IntervalFit(rows, elsewhere, group: FoldedFit.family, part: { $0.device })
    foreign = IntervalFit(rows, elsewhere, group: { _ in "all" }, part: { $0.device }, isNewPart: true)
    edges = IntervalFit(
      rows, try fits.predictions(leavingOut: .edge), group: fits.own, part: { $0.model })
  }

  /// Errors of a target's rows; a file for devices that have files of their own repeats none of theirs.
  func summaries(
    _ rows: [PreparedRun], _ target: FittedCalibration.Target, _ metrics: [Metric]
  ) -> [(metric: Metric, summary: ErrorSummary)] {
    guard fits.isFittedTogether(target) else { return [] }
    let wanted = Set(rows.map(\.run.id))
    let pairs = parts.pairs.filter { wanted.contains($0.row.run.id) }
    return Comparison(pairs.map(\.row), pairs.map(\.predicted)).summaries(metrics)
  }

  /// Inside the range: errors on models (where the target is what was fitted together) or on devices (for a class) that
  /// the fit did not see. Outside: wider by what fits to middling sizes err more at the edge.
  func interval(_ rows: [PreparedRun], _ target: FittedCalibration.Target) -> PredictionInterval {
    let group = fits.own(rows[0])
    let near = own.factors(group: group)
    let far = edges.factors(group: group)
    let inside = fits.isFittedTogether(target) ? near : transferred(rows[0], target)
    var outside = inside
    for metric in inside.present {
      guard let factor = inside[metric], let edge = far[metric], let own = near[metric] else { continue }
      outside[metric] = factor * max(1, edge / own)
    }
    return PredictionInterval(level: IntervalFit.level, inside: inside, outside: outside)
  }

  /// A maker's other device errs as those of its maker did; one of another maker as far as devices differ.
  private func transferred(_ row: PreparedRun, _ target: FittedCalibration.Target) -> MetricValues {
    if case .deviceClass = target { return foreign.factors(group: "all") }
    return moved.factors(group: FoldedFit.family(row))
  }
}
