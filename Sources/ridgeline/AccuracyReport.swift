import Calibration
import CostModels
import Documents
import Execution
import Foundation
import Quantities
import Reporting
import Statistics

/// One page of an accuracy report: a data set, how rows were held out, errors by group, what intervals cover, where the
/// largest errors lie, and a plot of predicted against measured for each metric.
struct AccuracyReport {
  let kind: DatasetKind
  let folds: FoldedFit.Fold
  let files: [String]
  let comparison: Comparison
  let coverage: [(metric: Metric, share: Double, rows: Int)]

  var name: String { kind.rawValue + (folds == .none ? "" : "-leaving-out-\(folds.rawValue)") }

  /// Writes the page and its plots into a folder.
  func write(to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try save(page, "\(folder)/\(name).md")
    for metric in metrics { try save(plot(metric), "\(folder)/\(plotName(metric))") }
  }

  private func save(_ text: String, _ path: String) throws {
    let file = try OutputFile(path: path)
    try file.write(text)
    try file.finish()
    standardError("wrote \(path)")
  }

  private var metrics: [Metric] { Metric.allCases.filter { comparison.summary($0) != nil } }

  private func plotName(_ metric: Metric) -> String { "\(name)-\(metric.rawValue).svg" }

  private var page: String {
    let names = files.map { ($0 as NSString).lastPathComponent }
    let command =
      "ridgeline validate --dataset \(kind.rawValue) \(names.joined(separator: " ")) --folds \(folds.rawValue)"
    var lines = [
      "# \(kind.title)", "", "Source: \(names.joined(separator: ", ")) (\(kind.source)). Repeat it with", "",
      "    \(command)", "", folds.protocolText, "",
      "Errors are predicted over measured less one: mean, median and 90th percentile of their absolute values, and bias,",
      "their mean. Rows that their file excludes, and rows that cannot run, are left out.", "", "## Errors", "",
      MarkdownRenderer.rows(AccuracyTable.table(comparison)),
    ]
    if !coverage.isEmpty { lines += ["## Intervals", "", intervalText] }
    lines += ["## Where the error lies", "", worstText, MarkdownRenderer.rows(worst), "## Plots", ""]
    lines += metrics.map { "![\($0.title), predicted against measured](\(plotName($0)))" }
    return lines.joined(separator: "\n") + "\n"
  }

  private var intervalText: String {
    let level = fixedText(100 * IntervalFit.level, decimals: 0)
    let head = "Share of held-out rows within \(level) % intervals that were derived without their part as well:\n\n"
    return head
      + coverage.map { "- \($0.metric.title): \(fixedText(100 * $0.share, decimals: 1)) % of \($0.rows) rows\n" }
      .joined()
  }

  // MARK: Worst groups

  private var worstText: String {
    "The groups of one device, runtime, model and device count whose errors add up to most:\n"
  }

  private var worst: ResultTable {
    var table = ResultTable(columns: [
      ResultTable.Column("metric"), ResultTable.Column("group"), ResultTable.Column("rows", style: .count),
      ResultTable.Column("mean", style: .percent), ResultTable.Column("bias", style: .percent),
      ResultTable.Column("share", heading: "share of all error", style: .percent),
    ])
    for metric in metrics {
      for line in comparison.largestErrors(metric, count: 8) {
        table.append([
          .text(metric.rawValue), .text(line.group), .int(line.summary.count), .number(line.summary.mean),
          .number(line.summary.bias), .number(line.share),
        ])
      }
    }
    return table
  }

  // MARK: Plot

  private func plot(_ metric: Metric) -> String {
    let isPower = metric == .power
    let unit = isPower ? AxisUnit(PowerDimension.self) : AxisUnit(TimeDimension.self)
    let groups = FoldedFit.grouped(comparison.pairs) { "\($0.row.device), \($0.row.runtime)" }
    let series = groups.map { group in
      ScatterChart.Series(
        group.key,
        group.members.compactMap { row, predicted in
          guard let measured = row.run.measured[metric], let value = predicted[metric] else { return nil }
          return ScatterChart.Point(measured, value)
        })
    }
    return ScatterChart(
      ChartHeader("\(metric.title), predicted against measured"),
      x: Axis("measured", unit: unit, kind: .logarithmic), y: Axis("predicted", unit: unit, kind: .logarithmic),
      series: series.filter { !$0.points.isEmpty }, reference: .identity(band: 0.1)
    ).svg()
  }
}

extension FoldedFit.Fold {
  /// How rows were held out, for a reader who wants to repeat it.
  fileprivate var protocolText: String {
    switch self {
    case .none:
      "Predicted with the calibrations as they stand; rows of the same data are among those they were fitted to."
    case .model:
      """
      Leave one model out: for each device under each runtime, and each model in turn, constants are fitted to the rows
      of the other models and the rows of that model predicted with them.
      """
    case .batch:
      """
      Leave one batch size out: for each device under each runtime, and each batch size in turn, constants are fitted to
      the rows of the other batch sizes and the rows of that one predicted with them.
      """
    case .device:
      """
      Leave one device out: each device in turn has its specification, the constants of its class and of its runtime,
      and none of its own. Constants of the runtime are fitted to the rows of the same maker's other devices, or of all
      other devices of the class where the maker has none; where the class has none either, only the class's own file
      counts. Constants of single operators are the class's, fitted to public operator tables of A100 and H100.
      """
    case .run:
      """
      Leave one run out: for each device under each runtime, and each run in turn, constants are fitted to the other runs
      and that one predicted with them.
      """
    case .edge:
      "Fitted to rows of middling size; those of the largest batch and the longest prompts and answers are predicted."
    case .quarter:
      """
      Four folds by model: models are dealt to four parts of about as many rows (checkpoints of one architecture stay
      together). For each runtime, constants are fitted to all devices' rows of three parts and the fourth is predicted.
      """
    }
  }
}
