import ArgumentParser
import Calibration
import Documents
import Execution
import Reporting

struct ValidateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Compares predictions with measured data.",
    discussion: """
      Prints mean, median and 90th percentile of absolute errors, and the mean \
      signed error (bias), by device, runtime, model and batch. Rows that their \
      file excludes are left out. With --folds, constants are fitted anew \
      without the rows being predicted.

        ridgeline validate --dataset llm-inference-bench \\
            llm_inference_bench.csv
        ridgeline validate --dataset splitwise splitwise_llama2_70b.csv \\
            --folds batch

      """ + DatasetOptions.kindsText)

  @OptionGroup var dataset: DatasetOptions

  @Option(help: "What is left out of a fit in turn: none (no fit, calibrations as they are), model, device or batch.")
  var folds = FoldedFit.Fold.none

  @Option(help: "How the result is written: table, csv or json.")
  var format = OutputFormat.table

  @Option(help: ArgumentHelp("Also write every row with its prediction here.", valueName: "file.csv"))
  var rows: String?

  @Option(help: ArgumentHelp("Also write a page of this comparison with plots into this folder.", valueName: "folder"))
  var report: String?

  func run() throws {
    let library = try Library()
    if dataset.dataset == .operators {
      guard rows == nil, report == nil else {
        throw UsageError("--rows and --report are not available for operators")
      }
      try print(OperatorAccuracyTable.table(dataset.operators(library), folds))
      return
    }
    let set = try dataset.prepared(library)
    let fits = FoldedFit(set, library: library, kind: dataset.dataset)
    let predicted = try fits.predictions(leavingOut: folds)
    let comparison = Comparison(set.runs, predicted)
    if let report {
      try AccuracyReport(
        kind: dataset.dataset, folds: folds, files: dataset.files, comparison: comparison,
        coverage: fits.coverage(predicted, leavingOut: folds)
      ).write(to: report)
    }
    if let rows { try RowFile.write(comparison, to: rows) }
    try print(AccuracyTable.table(comparison))
    for (reason, count) in set.skippedByReason { standardError("\(count) rows cannot run: \(reason)") }
  }

  private func print(_ table: ResultTable) throws {
    switch format {
    case .csv: try standardOutput(MachineRenderer.csv(table))
    case .json: try standardOutput(MachineRenderer.json(table))
    case .table: try standardOutput(TableRenderer.rows(table))
    }
  }
}

extension FoldedFit.Fold: ExpressibleByArgument {}
extension DatasetKind: ExpressibleByArgument {}

/// Options that name measured data.
struct DatasetOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Format of the files; see above.", valueName: "kind"))
  var dataset: DatasetKind

  @Argument(help: ArgumentHelp("Files of that format.", valueName: "file"))
  var files: [String]

  @Option(help: "Only rows of this device, by any of its names.")
  var device: String?

  @Option(help: "Only rows of this runtime, by any of its names.")
  var runtime: String?

  @Option(help: ArgumentHelp("How a log's requests were served: model, hardware, limits.", valueName: "file.yaml"))
  var serving: String?

  /// The formats, for help texts.
  static let kindsText =
    "Formats:\n\n" + DatasetKind.allCases.map { "  \($0.rawValue)\n    \($0.title)" }.joined(separator: "\n")

  /// The rows asked for, ready to be priced.
  func prepared(_ library: Library) throws -> PreparedRuns {
    let measured = try files.flatMap { try dataset.read(path: $0, serving: serving) }
    var set = try PreparedRuns(measured, library: library)
    if let device { set.keep(device: try library.platforms.find(device).device.name) }
    if let runtime { set.keep(runtime: try library.runtimes.find(runtime).name) }
    guard !set.runs.isEmpty else {
      throw DataError(file: files.joined(separator: ", "), problem: "no row is left that can be predicted")
    }
    return set
  }
}

/// Errors by group, for people and machines.
enum AccuracyTable {
  typealias Column = ResultTable.Column

  static func table(_ comparison: Comparison) -> ResultTable {
    var table = ResultTable(columns: [
      Column("metric"), Column("group"), Column("value"), Column("rows", style: .count),
      Column("mean_absolute_error", heading: "mean", style: .percent),
      Column("median_absolute_error", heading: "median", style: .percent),
      Column("p90_absolute_error", heading: "P90", style: .percent), Column("bias", style: .percent),
    ])
    for line in comparison.lines() {
      table.append([
        .text(line.metric.rawValue), .text(line.group), .text(line.value), .int(line.summary.count),
        Cell(line.summary.mean), Cell(line.summary.median), Cell(line.summary.ninetieth), Cell(line.summary.bias),
      ])
    }
    return table
  }

  private typealias Cell = ResultTable.Cell
}

/// Every row with what was measured and predicted.
enum RowFile {
  static func write(_ comparison: Comparison, to path: String) throws {
    var table = ResultTable(
      columns: [
        "line", "device", "device_count", "runtime", "model", "input_tokens", "output_tokens", "batch_size", "metric",
        "measured", "predicted",
      ].map { ResultTable.Column($0) })
    for (row, predicted) in comparison.pairs {
      for metric in row.run.measured.present where predicted[metric] != nil {
        table.append([
          .int(row.run.line), .text(row.device), .int(row.run.deviceCount), .text(row.runtime), .text(row.model),
          .int(row.run.batch.inputTokens), .int(row.run.batch.outputTokens), .int(row.run.batch.sequences),
          .text(metric.rawValue), ResultTable.Cell(row.run.measured[metric]), ResultTable.Cell(predicted[metric]),
        ])
      }
    }
    let file = try OutputFile(path: path)
    try file.write(MachineRenderer.csv(table))
    try file.finish()
  }
}
