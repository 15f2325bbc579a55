import Calibration
import Execution
import Reporting

/// Errors of operator prices by operator, number format, measured kernel and device.
enum OperatorAccuracyTable {
  typealias Column = ResultTable.Column

  static func table(_ validation: OperatorValidation, _ folds: FoldedFit.Fold) throws -> ResultTable {
    var table = ResultTable(columns: [
      Column("operator"), Column("format"), Column("source"), Column("device"), Column("basis"),
      Column("rows", style: .count), Column("mean_absolute_error", heading: "mean", style: .percent),
      Column("median_absolute_error", heading: "median", style: .percent),
      Column("p90_absolute_error", heading: "P90", style: .percent), Column("bias", style: .percent),
    ])
    for line in try bases(folds).flatMap(validation.lines) {
      table.append([
        .text(line.group.family.rawValue), .text(line.group.format), .text(line.group.source), .text(line.device),
        .text(line.basis.rawValue), .int(line.summary.count), Cell(line.summary.mean), Cell(line.summary.median),
        Cell(line.summary.ninetieth), Cell(line.summary.bias),
      ])
    }
    return table
  }

  private typealias Cell = ResultTable.Cell

  private static func bases(_ folds: FoldedFit.Fold) throws -> [OperatorValidation.Basis] {
    switch folds {
    case .none: [.calibrated, .own]
    case .model: [.folds]
    case .device: [.transfer]
    case .batch, .edge, .quarter, .run:
      throw UsageError("--folds \(folds.rawValue) does not apply to operators; use none, model (of shapes) or device")
    }
  }
}

extension DatasetOptions {
  /// The measured operators asked for. A device named is that of files which name none.
  func operators(_ library: Library) throws -> OperatorValidation {
    OperatorValidation(
      try files.flatMap { try OperatorTable.read(path: $0, device: device, library: library) }, library: library)
  }
}
