import Documents
import Quantities
import Reporting
import Studies

/// Energy as a page.
struct EnergyPage {
  private let text: EnergyText
  private let command: [String]

  init(_ text: EnergyText, command: [String]) {
    self.text = text
    self.command = command
  }

  var page: ReportPage {
    let study = text.study
    return ReportPage(
      title:
        "Energy of \(study.deployment.model.name) on \(study.deployment.parallelism.devices) \(study.deployment.platform.name)",
      headline: text.summary + ".\n" + text.knee(study.clocks(), "clock"),
      sections: [
        .init(
          "Where it goes",
          [.charts([parts, power]), .table(text.table(.parts), caption: "Energy of an output token by component")]),
        .init(
          "Core clock and power cap",
          [
            .charts([clocks, caps]), .paragraph(text.knee(study.clocks(), "clock")),
            .paragraph(text.knee(study.caps(), "cap")),
          ]),
        .init(
          "Tensor parallelism and batch",
          [.charts([knobs]), .table(text.table(.knobs), caption: "At the highest clock")]),
        .init("A fleet over a day", fleet),
        .init("Assumptions", assumptions), .init("Where it comes from", [.code(command.joined(separator: " "))]),
      ],
      footer: "Written by ridgeline \(ToolVersion.text).")
  }

  private var parts: ReportChart {
    let tokens = Double(text.study.batch.sequences * text.study.batch.outputTokens)
    let both = text.study.parts() ?? (EnergyParts(), EnergyParts())
    let names = both.prompts.named.map(\.name)
    func bar(_ name: String, _ parts: EnergyParts) -> StackedBarChart.Bar {
      .init(name, parts.named.map { $0.energy.value / tokens })
    }
    let chart = StackedBarChart(
      ChartHeader("Energy of an output token"), axis: Axis("Energy", unit: .joules), parts: names,
      bars: [bar("prompts", both.prompts), bar("answers", both.answers)])
    return ReportChart("parts", chart.svg())
  }

  private var power: ReportChart {
    let stretches = text.study.powerOverTime()
    let points = stretches.map { LineChart.Point($0.from.value, $0.power.value) }
    let end = stretches.last.map { [LineChart.Point($0.to.value, $0.power.value)] } ?? []
    let chart = LineChart(
      ChartHeader("Power over time", subtitle: "Of all devices: prompts first, then answers"),
      x: Axis("Time", unit: .seconds), y: Axis("Power", unit: .watts, covering: 0...0),
      series: [LineChart.Series("power", points + end, path: .steps)])
    return ReportChart("power", chart.svg())
  }

  private var clocks: ReportChart {
    curve("clock", "Energy by core clock", Axis("Share of the highest clock", unit: .percent), text.study.clocks()) {
      $0.clock
    }
  }

  private var caps: ReportChart {
    curve("cap", "Energy by power cap", Axis("Cap of each device", unit: .watts), text.study.caps()) {
      $0.cap?.value ?? 0
    }
  }

  private func curve(
    _ name: String, _ title: String, _ x: Axis, _ points: [EnergyStudy.Point], _ at: (EnergyStudy.Point) -> Double
  ) -> ReportChart {
    let all = LineChart.Series("a token", points.map { LineChart.Point(at($0), $0.energyPerToken.value) })
    let kept = LineChart.Series(
      "objectives kept", points.filter(\.meets).map { LineChart.Point(at($0), $0.energyPerToken.value) })
    let isBound = points.contains { !$0.meets }
    let chart = LineChart(
      ChartHeader(title), x: x, y: Axis("Energy a token", unit: .joules, covering: 0...0),
      series: isBound ? [all, kept] : [all])
    return ReportChart(name, chart.svg())
  }

  private var knobs: ReportChart {
    let degrees = Set(text.knobs.map(\.tensor)).sorted()
    let series = degrees.map { degree in
      LineChart.Series(
        "tp\(degree)",
        text.knobs.filter { $0.tensor == degree }.map { LineChart.Point(Double($0.sequences), $0.energyPerToken.value) }
      )
    }
    let chart = LineChart(
      ChartHeader("Energy by batch and tensor parallelism"), x: Axis("Sequences", kind: .logarithmic),
      y: Axis("Energy a token", unit: .joules, kind: .logarithmic), series: series)
    return ReportChart("knobs", chart.svg())
  }

  private var fleet: [ReportPage.Block] {
    guard let fleet = text.fleet else { return [] }
    let hours = fleet.hours
    func line(_ name: String, _ value: (FleetDay.Hour) -> Double) -> LineChart.Series {
      LineChart.Series(name, hours.map { LineChart.Point(Double($0.hour), value($0)) }, path: .steps)
    }
    let power = LineChart(
      ChartHeader("Power of the machines"), x: Axis("Hour of the day"), y: Axis("Power", unit: .watts, covering: 0...0),
      series: [line("power") { $0.power.value }])
    let carbon = LineChart(
      ChartHeader("Carbon by the hour"), x: Axis("Hour of the day"),
      y: Axis("Carbon", unit: AxisUnit("kg"), covering: 0...0), series: [line("carbon") { $0.kilograms }])
    return [
      .charts([ReportChart("fleet-power", power.svg()), ReportChart("fleet-carbon", carbon.svg())]),
      .table(text.table(.fleet), caption: "A day at \(fleet.site.title)"), .list(text.fleetWords(fleet)),
    ]
  }

  private var assumptions: [ReportPage.Block] {
    var list = [
      "calibrations \(text.study.deployment.calibrations.joined(separator: ", "))",
      "voltage by clock: three boards measured by TechPowerUp; memory keeps its clock",
    ]
    if let site = text.fleet?.site {
      list += site.citations.sorted { $0.key < $1.key }.map { "\(site.name), \($0.key): \($0.value)" }
    }
    return [.list(list)]
  }
}
