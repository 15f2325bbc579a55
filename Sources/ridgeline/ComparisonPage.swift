import Documents
import Quantities
import Reporting
import Studies

/// A comparison as a page.
struct ComparisonPage {
  private let table: ComparisonTable
  private let command: [String]

  init(_ table: ComparisonTable, command: [String]) {
    self.table = table
    self.command = command
  }

  var page: ReportPage {
    ReportPage(
      title: "Comparing \(table.names.joined(separator: ", "))", headline: table.words.joined(separator: "\n"),
      sections: [
        .init("Side by side", [.charts(charts), .table(table.sideBySide, caption: table.caption)]),
        .init("What to know", table.notes.isEmpty ? [] : [.list(table.notes)]),
        .init("Assumptions", [.list(assumptions)]),
        .init("Where it comes from", [.code(command.joined(separator: " "))]),
      ],
      footer: "Written by ridgeline \(ToolVersion.text).")
  }

  private var charts: [ReportChart] {
    ComparisonTable.main.compactMap { metric in
      let bars = table.names.indices.map { index in
        let interval = table.comparison.interval(metric, of: index).map {
          max(0, $0.estimate - $0.halfWidth)...($0.estimate + $0.halfWidth)
        }
        return BarChart.Bar(table.names[index], table.comparison.value(metric, of: index), interval: interval)
      }
      guard bars.contains(where: { $0.value != nil }) else { return nil }
      let title = metric.heading.prefix(1).uppercased() + metric.heading.dropFirst()
      let chart = BarChart(
        ChartHeader(title, subtitle: "With what chance may do to it: 95 % intervals", id: "compare \(metric.rawValue)"),
        axis: Axis(title, unit: metric.unit), bars: bars)
      return ReportChart(metric.rawValue.replacing("_", with: "-"), chart.svg())
    }
  }

  private var assumptions: [String] {
    let pairs = table.comparison.isOfStretches ? "stretches of one trace" : "runs on the same arrivals"
    return [
      "every scenario serves the traffic, the objectives and the seeds of \(table.names[0])",
      "intervals are Student's, over the differences of \(table.comparison.replications) pairs of \(pairs)",
      "they hold what chance does to arrivals, not how far measurements lie from predictions: 'predict' states that",
    ]
  }
}
