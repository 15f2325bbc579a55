import CostModels
import Documents
import Execution
import Hardware

/// Fits groups of rows and predicts rows that a fit did not see.
package struct FoldedFit {
  package let set: PreparedRuns
  package let library: Library
  package var fit = StepFit()

  /// What a kind of data tells about: steps of a device under a runtime, or power of a class of devices.
  private let scope: DatasetKind.Scope
  /// Whether first tokens are fitted after the steps.
  private var fitsPrompts = false

  package init(_ set: PreparedRuns, library: Library, kind: DatasetKind) {
    self.set = set
    self.library = library
    scope = kind.scope
    switch kind {
    case .llmInferenceBenchPower:
      fit.constants = FittedConstant.power
      fit.metrics = [.power]
    case .splitwise:
      fit.constants = FittedConstant.launchedStep
      fit.choice = (.collectiveDirectLimit, [8e6, 16e6, 24e6, 48e6, 96e6, 192e6])
    case .silicon: fit.constants = FittedConstant.servedStep
    case .siliconServed:
      fit.constants = FittedConstant.servedStep
      fitsPrompts = true
    case .vllmRuns, .vllmLog: fit.constants = FittedConstant.replayed
    case .llmInferenceBench, .llmInferenceBenchOverflow, .operators, .table: break
    }
  }

  /// What is left out in turn.
  package enum Fold: String, CaseIterable, Sendable {
    case none, model, device, batch
    /// Rows at the edge of the sizes measured: the largest batch, the longest prompts and answers, the most devices.
    case edge
    case quarter = "models-in-four"
    /// One row.
    case run
  }

  /// Predictions of all rows, in their order.
  ///
  /// - `none`: with the calibrations as they stand.
  /// - `model`, `batch`: each device under each runtime is fitted to its rows without those of one model (or batch size).
  /// - `edge`: each device under each runtime is fitted to rows of middling size; other rows have no prediction.
  /// - `quarter`: a maker's devices of a class under each runtime are fitted to the rows without a quarter of the models.
  /// - `device`: each class of devices under each runtime is fitted to the rows of the maker's other devices, or of
  ///   all others where there are none; the held-out device then has its specification, its class and its runtime, and no calibration of its own.
  package func predictions(leavingOut fold: Fold) throws -> [MetricValues] {
    switch fold {
    case .none: try RunPricer(set, rows: set.runs) { $0.pricer.constants }.predictions(set.runs)
    case .model: try heldOut(groups: own, \.model, transferred: false)
    case .batch: try heldOut(groups: own, { String($0.run.batch.sequences) }, transferred: false)
    case .run: try heldOut(groups: own, \.run.id, transferred: false)
    case .edge: try heldOut(groups: own, EdgeRows(set.runs, group: own).part, transferred: false)
    case .quarter:
      try heldOut(
        groups: Self.family, ModelQuarters(set.runs).name,
        transferred: true)
    case .device:
      try heldOut(
        groups: { scope == .power ? own($0) : "\($0.deviceClass) under \($0.runtime)" }, \.device,
        transferred: scope != .power, nearest: true)
    }
  }

  /// The share of held-out rows within intervals that were derived without them, by metric; nothing without folds.
  package func coverage(
    _ predicted: [MetricValues], leavingOut fold: Fold
  ) -> [(metric: Metric, share: Double, rows: Int)] {
    let errors: IntervalFit
    switch fold {
    case .none, .edge: return []
    case .model, .batch, .run: errors = IntervalFit(set.runs, predicted, group: own, part: part(fold))
    case .quarter: errors = IntervalFit(set.runs, predicted, group: Self.family, part: part(fold))
    case .device:
      errors = IntervalFit(set.runs, predicted, group: { _ in "all" }, part: part(fold), isNewPart: true)
    }
    return Metric.allCases.compactMap { metric in
      errors.coverage(metric).map { (metric, $0.share, $0.rows) }
    }
  }

  /// What a fold calls the part that a row belongs to.
  private func part(_ fold: Fold) -> (PreparedRun) -> String {
    switch fold {
    case .none, .edge, .model: { $0.model }
    case .batch: { String($0.run.batch.sequences) }
    case .run: { $0.run.id }
    case .device: { $0.device }
    case .quarter: ModelQuarters(set.runs).name
    }
  }

  /// Fits every device under every runtime, and every class of devices that has several under one runtime.
  package func calibrations(kind: DatasetKind, files: [String], date: String) throws -> [FittedCalibration] {
    let held = try HeldPredictions(self, kind: kind)
    return try targets().filter { $0.1.count > fit.constants.count }.map { target, rows in
      let base: (Deployment) throws -> Constants = { try self.base($0, transferred: target.isShared) }
      let outcome = try fit.fit(rows, of: set, base: base)
      let pricer = try RunPricer(set, rows: rows, base: base)
      let fitted = Comparison(rows, pricer.predictions(rows, override: outcome.constants))
      return FittedCalibration(
        target: target, constants: outcome.constants, errors: outcome.errors, kind: kind, files: files, rows: rows,
        fitted: fitted.summaries(fit.metrics), held: held.summaries(rows, target, fit.metrics),
        interval: held.interval(rows, target), date: date)
    }
  }

  private typealias Target = FittedCalibration.Target

  /// What gets a file, with its rows: each device under each runtime, each maker's devices of a class, and the class
  /// where several makers are measured.
  private func targets() -> [(Target, [PreparedRun])] {
    if scope == .power { return split { .anyRuntime($0.deviceClass) } }
    if scope == .replayed { return split { .device($0.device, runtime: $0.runtime) } }
    if scope == .served { return split { .vendor($0.vendor, $0.deviceClass, runtime: $0.runtime) } }
    let own = split { .device($0.device, runtime: $0.runtime) }
    let vendors = split { .vendor($0.vendor, $0.deviceClass, runtime: $0.runtime) }
    let classes = split { .deviceClass($0.deviceClass, runtime: $0.runtime) }.filter { _, rows in
      Set(rows.map(\.vendor)).count > 1
    }
    return own + vendors + classes
  }

  private func split(by target: (PreparedRun) -> Target) -> [(Target, [PreparedRun])] {
    Self.grouped(set.runs) { target($0).name }.map { (target($0.members[0]), $0.members) }
  }

  private func heldOut(
    groups key: (PreparedRun) -> String, _ part: (PreparedRun) -> String, transferred: Bool, nearest: Bool = false
  ) throws -> [MetricValues] {
    var results = [MetricValues](repeating: MetricValues(), count: set.runs.count)
    for group in Self.grouped(Array(set.runs.indices), by: { key(set.runs[$0]) }) {
      let whole = group.members.map { set.runs[$0] }
      for held in Self.grouped(group.members, by: { part(set.runs[$0]) }) {
        let name = held.key
        guard name != EdgeRows.middle else { continue }
        let others = whole.filter { part($0) != name }
        let rest = nearest ? kin(of: set.runs[held.members[0]], among: others) : others
        let rows = held.members.map { set.runs[$0] }
        let base: (Deployment) throws -> Constants = { try self.base($0, transferred: transferred) }
        let enough = rest.count > fit.constants.count
        // A device without rows of its own to fit has no calibration of its own; a class without other devices has.
        guard enough || transferred else { continue }
        let found = enough ? try fitted(rest, base: base) : Constants()
        let predicted = try RunPricer(set, rows: rows, base: base).predictions(rows, override: found)
        for (index, value) in zip(held.members, predicted) { results[index] = value }
      }
    }
    return results
  }

  private func fitted(_ rows: [PreparedRun], base: (Deployment) throws -> Constants) throws -> Constants {
    let steps = try fit.fit(rows, of: set, base: base).constants
    return fitsPrompts ? PromptFit.refine(steps, rows, try RunPricer(set, rows: rows, base: base)) : steps
  }

  /// What rows are fitted together.
  func own(_ row: PreparedRun) -> String {
    switch scope {
    case .steps, .replayed: "\(row.device) under \(row.runtime)"
    case .power: "\(row.deviceClass)"
    case .served: Self.family(row)
    }
  }

  /// A maker's devices of a class under a runtime.
  static func family(_ row: PreparedRun) -> String { "\(row.deviceClass) by \(row.vendor) under \(row.runtime)" }

  /// Whether a target's rows are one group of ``own(_:)``, so that leaving a part out tells its error.
  func isFittedTogether(_ target: FittedCalibration.Target) -> Bool {
    switch target {
    case .device, .anyRuntime: true
    case .vendor: scope == .served
    case .deviceClass: false
    }
  }

  /// Rows on other devices that say most about one: those of its maker, or of any maker where that has no other.
  private func kin(of row: PreparedRun, among others: [PreparedRun]) -> [PreparedRun] {
    let near = others.filter { $0.vendor == row.vendor }
    return near.isEmpty ? others : near
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
