import CostModels
import Execution
import Foundation
import Hardware
import Statistics

/// Compares predicted with measured operators: as calibrated, refitted, and without the rows or the device compared.
package struct OperatorValidation {
  package let rows: [MeasuredOperator]
  package let library: Library
  package var fit = OperatorFit()

  package init(_ rows: [MeasuredOperator], library: Library) {
    self.rows = rows
    self.library = library
  }

  /// What predictions rest on.
  package enum Basis: String, CaseIterable, Sendable {
    /// The calibration files as they stand.
    case calibrated = "as calibrated"
    /// A fit to the very rows, of each device and kind of kernel.
    case own = "own fit"
    /// The same without a fifth of the shapes, for each fifth.
    case folds = "five folds"
    /// A fit to the other devices' rows, with the device's specification.
    case transfer = "other devices"
  }

  /// One line of an error table.
  package struct Line: Sendable {
    package let group: OperatorGroup
    package let device: String
    package let basis: Basis
    package let summary: ErrorSummary
  }

  /// Errors by operator, format, source and device.
  package func lines(_ basis: Basis) throws -> [Line] {
    var lines: [Line] = []
    for group in FoldedFit.grouped(Array(rows.indices), by: { rows[$0].group }) {
      for device in FoldedFit.grouped(group.members, by: { rows[$0].device.name }) {
        let members = device.members.map { rows[$0] }
        let others = group.members.map { rows[$0] }.filter { $0.device.name != device.key }
        guard let ratios = try ratios(members, others: others, basis), let summary = ErrorSummary(ratios: ratios) else {
          continue
        }
        lines.append(Line(group: group.key, device: device.key, basis: basis, summary: summary))
      }
    }
    return lines
  }

  /// Predicted over measured; nothing where the basis has no rows to fit.
  private func ratios(
    _ members: [MeasuredOperator], others: [MeasuredOperator], _ basis: Basis
  ) throws -> [Double]? {
    switch basis {
    case .calibrated: return try predicted(members, OperatorFit.Outcome(), base: calibrated)
    case .own: return try predicted(members, fit.fit(members, base: calibrated), base: calibrated)
    case .folds: return try foldedRatios(members)
    case .transfer:
      guard !others.isEmpty else { return nil }
      return try predicted(members, fit.fit(others, base: uncalibrated), base: uncalibrated)
    }
  }

  private func foldedRatios(_ members: [MeasuredOperator]) throws -> [Double] {
    try FoldedFit.grouped(members, by: \.fold).flatMap { fold in
      let rest = members.filter { $0.fold != fold.key }
      guard !rest.isEmpty else { return try predicted(fold.members, OperatorFit.Outcome(), base: calibrated) }
      return try predicted(fold.members, fit.fit(rest, base: calibrated), base: calibrated)
    }
  }

  private func predicted(
    _ rows: [MeasuredOperator], _ outcome: OperatorFit.Outcome, base: (MeasuredOperator) throws -> Constants
  ) throws -> [Double] {
    guard let first = rows.first else { return [] }
    let predictor = OperatorPredictor(
      constants: [first.device.name: try base(first)], override: outcome.constants,
      replay: outcome.replays[first.family])
    return predictor.logRatios(rows).map { exp($0) }
  }

  /// Constants of the files that name no runtime.
  private func calibrated(_ row: MeasuredOperator) throws -> Constants {
    try constants(row) { $0.runtime == nil }
  }

  /// Constants of the device's class alone.
  private func uncalibrated(_ row: MeasuredOperator) throws -> Constants {
    try constants(row) { $0.runtime == nil && $0.device == nil }
  }

  private func constants(_ row: MeasuredOperator, from wanted: (Calibration) -> Bool) throws -> Constants {
    try CalibrationChoice(
      device: row.device, runtime: "", from: library.calibrations.filter(wanted), folder: library.calibrationFolder
    ).constants
  }

  // MARK: Files

  /// Calibrations of each device with reference rows, and of each class that has several such devices.
  package func calibrations(files: [String], date: String) throws -> [OperatorCalibration] {
    let reference = rows.filter(\.group.isReference)
    var found: [OperatorCalibration] = []
    for device in FoldedFit.grouped(reference, by: { $0.device.name }) {
      found.append(try calibration(.device(device.key), device.members, files, date))
    }
    for group in FoldedFit.grouped(reference, by: { $0.device.deviceClass.rawValue }) {
      guard Set(group.members.map(\.device.name)).count > 1, let first = group.members.first else { continue }
      found.append(try calibration(.deviceClass(first.device.deviceClass), group.members, files, date))
    }
    return found
  }

  private func calibration(
    _ target: OperatorCalibration.Target, _ rows: [MeasuredOperator], _ files: [String], _ date: String
  ) throws -> OperatorCalibration {
    let outcome = try fit.fit(rows, base: uncalibrated)
    let part = OperatorValidation(rows, library: library)
    return OperatorCalibration(
      target: target, outcome: outcome, files: files, date: date, rows: rows.count,
      errors: try part.lines(target.isClass ? .transfer : .folds))
  }
}

extension MeasuredOperator {
  /// Which fifth of the shapes a row belongs to: all rows of a shape to the same.
  fileprivate var fold: Int {
    // FNV-1a, which is the same everywhere.
    let hash = shape.utf8.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    return Int((hash >> 17) % 5)
  }
}
