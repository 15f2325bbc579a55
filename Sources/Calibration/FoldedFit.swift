import CostModels
import Documents
import Execution
import Hardware

/// Fits groups of rows and predicts rows that a fit did not see.
package struct FoldedFit {
  package let set: PreparedRuns
  package let library: Library
  package var fit = StepFit()

  package init(_ set: PreparedRuns, library: Library) {
    self.set = set
    self.library = library
  }

  /// What is left out in turn.
  package enum Fold: String, CaseIterable, Sendable {
    case none, model, device, batch
  }

  /// Predictions of all rows, in their order.
  ///
  /// - `none`: with the calibrations as they stand.
  /// - `model`, `batch`: each device under each runtime is fitted to its rows without those of one model (or batch size).
  /// - `device`: each class of devices under each runtime is fitted to the rows of the other devices; the held-out
  ///   device then has its specification, its class and its runtime, and no calibration of its own.
  package func predictions(leavingOut fold: Fold) throws -> [MetricValues] {
    switch fold {
    case .none: try RunPricer(set, rows: set.runs) { $0.pricer.constants }.predictions(set.runs)
    case .model: try heldOut(groups: { "\($0.device) under \($0.runtime)" }, \.model, transferred: false)
    case .batch:
      try heldOut(
        groups: { "\($0.device) under \($0.runtime)" }, { String($0.run.batch.sequences) }, transferred: false)
    case .device: try heldOut(groups: { "\($0.deviceClass) under \($0.runtime)" }, \.device, transferred: true)
    }
  }

  /// Fits every device under every runtime, and every class of devices that has several under one runtime.
  package func calibrations(
    kind: DatasetKind, files: [String], date: String, progress: (String) -> Void = { _ in }
  ) throws -> [FittedCalibration] {
    let held = Dictionary(
      uniqueKeysWithValues: zip(set.runs.map(\.run.id), try predictions(leavingOut: kind.fold)))
    var results: [FittedCalibration] = []
    for (target, rows) in targets() {
      guard rows.count > fit.constants.count else { continue }
      progress(target.name)
      let transferred = if case .deviceClass = target { true } else { false }
      let base: (Deployment) throws -> Constants = { try self.base($0, transferred: transferred) }
      let outcome = try fit.fit(rows, of: set, base: base)
      let pricer = try RunPricer(set, rows: rows, base: base)
      let fitted = Comparison(rows, pricer.predictions(rows, override: outcome.constants))
      let left = Comparison(rows, rows.map { held[$0.run.id] ?? MetricValues() })
      results.append(
        FittedCalibration(
          target: target, constants: outcome.constants, errors: outcome.errors, kind: kind, files: files, rows: rows,
          fitted: fitted.summaries(fit.metrics), held: transferred ? [] : left.summaries(fit.metrics), date: date))
    }
    return results
  }

  private func targets() -> [(FittedCalibration.Target, [PreparedRun])] {
    let own = Self.grouped(set.runs) { "\($0.device) under \($0.runtime)" }.map { group in
      (FittedCalibration.Target.device(group.members[0].device, runtime: group.members[0].runtime), group.members)
    }
    let shared = Self.grouped(set.runs) { "\($0.deviceClass) under \($0.runtime)" }.filter { group in
      Set(group.members.map(\.device)).count > 1
    }.map { group in
      (
        FittedCalibration.Target.deviceClass(group.members[0].deviceClass, runtime: group.members[0].runtime),
        group.members
      )
    }
    return own + shared
  }

  private func heldOut(
    groups key: (PreparedRun) -> String, _ part: (PreparedRun) -> String, transferred: Bool
  ) throws -> [MetricValues] {
    var results = [MetricValues](repeating: MetricValues(), count: set.runs.count)
    for group in Self.grouped(Array(set.runs.indices), by: { key(set.runs[$0]) }) {
      let whole = group.members.map { set.runs[$0] }
      for held in Self.grouped(group.members, by: { part(set.runs[$0]) }) {
        let name = held.key
        let rest = whole.filter { part($0) != name }
        let rows = held.members.map { set.runs[$0] }
        let base: (Deployment) throws -> Constants = { try self.base($0, transferred: transferred) }
        // A fit to nothing is the calibration of the class.
        let found = rest.count > fit.constants.count ? try fit.fit(rest, of: set, base: base).constants : Constants()
        let predicted = try RunPricer(set, rows: rows, base: base).predictions(rows, override: found)
        for (index, value) in zip(held.members, predicted) { results[index] = value }
      }
    }
    return results
  }

  /// Constants of a deployment before a fit. Transferred, no file that names a device counts, nor one that names a
  /// runtime of the class: both rest on rows that the fold holds out.
  package func base(_ deployment: Deployment, transferred: Bool) throws -> Constants {
    let files =
      transferred ? library.calibrations.filter { $0.device == nil && $0.runtime == nil } : library.calibrations
    return try CalibrationChoice(
      device: deployment.platform.device, runtime: deployment.runtime.name, from: files,
      folder: library.calibrationFolder
    ).constants
  }

  /// Members by key, keys in order.
  package static func grouped<Member, Key: Hashable & Comparable>(
    _ members: [Member], by key: (Member) -> Key
  ) -> [(key: Key, members: [Member])] {
    var groups: [Key: [Member]] = [:]
    for member in members { groups[key(member), default: []].append(member) }
    return groups.keys.sorted().map { ($0, groups[$0] ?? []) }
  }
}
