import Documents
import Quantities
import Reporting
import Studies

/// What a platform must be able to do, as a page.
struct RequirementPage {
  private let text: RequirementText
  private let command: [String]

  init(_ text: RequirementText, command: [String]) {
    self.text = text
    self.command = command
  }

  var page: ReportPage {
    ReportPage(
      title: "What \(text.requirement.deployment.model.name) asks of a platform", headline: text.heading + text.footing,
      sections: [
        .init(
          "Numbers of each device",
          [
            .charts([lack]),
            .table(
              text.readable,
              caption:
                "Alone: with the others as they are; at least: were the others without limit; balanced: all together"),
          ]),
        .init("Platforms that perform alike", iso),
        .init("Assumptions", [.list(assumptions)]),
        .init("Where it comes from", [.code(command.joined(separator: " "))]),
      ],
      footer: "Written by ridgeline \(ToolVersion.text).")
  }

  /// A number above one binds.
  private var lack: ReportChart {
    let bars = text.needs.map { need in
      BarChart.Bar(need.number.title, need.has > 0 ? need.floor.map { $0 / need.has } : nil)
    }
    let chart = BarChart(
      ChartHeader("What it takes at least, over what there is", subtitle: "Above 1 a number binds"),
      axis: Axis("Times what there is"), bars: bars)
    return ReportChart("needs", chart.svg())
  }

  private var iso: [ReportPage.Block] {
    let curve = text.requirement.isoCurve().map { ScatterChart.Point($0.compute, $0.bandwidth) }
    guard curve.count > 1 else { return [] }
    let own = ScatterChart.Point(
      text.requirement.value(.compute), text.requirement.value(.memoryBandwidth),
      label: text.requirement.deployment.platform.name)
    let chart = ScatterChart(
      ChartHeader("Pairs of compute and bandwidth that just do it", subtitle: "The others without limit"),
      x: Axis("Compute", unit: AxisUnit("FLOP/s", takesPrefix: true), kind: .logarithmic),
      y: Axis("Memory bandwidth", unit: AxisUnit("B/s", takesPrefix: true), kind: .logarithmic),
      series: [.init("just enough", curve), .init("as it is", [own])])
    return [.charts([ReportChart("iso", chart.svg())]), .table(text.isoTable, caption: "The same pairs as numbers")]
  }

  private var assumptions: [String] {
    let deployment = text.requirement.deployment
    let device = deployment.platform.device
    let peaks = device.citations.filter { $0.key.hasPrefix("compute") || $0.key.hasPrefix("memories") }
      .sorted { $0.key < $1.key }.map(\.value).first
    return [
      "a kind of device that reaches the shares of its peaks that \(deployment.platform.name) does: calibrations "
        + deployment.calibrations.joined(separator: ", "),
      "peaks of \(device.name): \(peaks ?? "not cited")",
      "runtime \(deployment.runtime.title)",
    ]
  }
}
