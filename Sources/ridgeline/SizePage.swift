import Documents
import Quantities
import Reporting
import Studies

/// An answer of sizing as a page.
struct SizePage {
  private let text: SizeText
  private let command: [String]

  init(_ text: SizeText, command: [String]) {
    self.text = text
    self.command = command
  }

  var page: ReportPage {
    let answer = text.answer
    let models = answer.request.models.map(\.text)
    let found = answer.outcomes.first { $0.best != nil }?.best
    return ReportPage(
      title:
        "Sizing \(models.joined(separator: ", ")) for \(roundedText(answer.demand.rate, significantDigits: 4)) requests a second",
      headline: found.map(text.words) ?? "No deployment meets the objectives.",
      sections: [.init("What was asked", [.list(asked)])] + models.map(section)
        + [
          .init("Assumptions", [.list(assumptions)]),
          .init("Where it comes from", [.code(command.joined(separator: " "))]),
        ],
      footer: "Written by ridgeline \(ToolVersion.text).")
  }

  private var asked: [String] {
    let (answer, demand) = (text.answer, text.answer.demand)
    func number(_ value: Double) -> String { roundedText(value, significantDigits: 4) }
    return [
      "objectives: \(answer.request.objectives.text)",
      "traffic: \(answer.request.scenario.trafficName), \(number(demand.rate)) requests a second, \(number(demand.meanInput)) tokens in and "
        + "\(number(demand.meanOutput)) out on average",
      "\(groupedDigits(answer.candidates)) candidates were priced in closed form, the best replayed by the serving engine",
    ]
  }

  private func section(_ model: String) -> ReportPage.Section {
    let outcomes = text.answer.outcomes.filter { $0.model == model }
    let found = outcomes.compactMap(\.best)
    var blocks: [ReportPage.Block] = []
    if !found.isEmpty {
      blocks += [
        .charts(charts(found)), .table(text.rows(outcomes), caption: "The cheapest deployment on each hardware"),
      ]
      blocks.append(.list(found.map { "\($0.candidate.hardware): " + text.words($0) }))
    }
    blocks += outcomes.filter { $0.best == nil }.map { .paragraph("\($0.hardware): none; \(SizeText.obstacle($0)).") }
    if let best = outcomes.first?.best {
      blocks.append(.paragraph("To start one replica of the cheapest:"))
      blocks.append(.code(text.launchLines(best).map(\.script).joined(separator: "\n\n")))
    }
    return ReportPage.Section(model, blocks)
  }

  private func charts(_ found: [SizedDeployment]) -> [ReportChart] {
    func chart(_ name: String, _ title: String, _ axis: Axis, _ value: (SizedDeployment) -> Double?) -> ReportChart {
      let model = found.first?.candidate.model ?? ""
      let bars = found.map { BarChart.Bar($0.candidate.hardware, value($0)) }
      return ReportChart(
        "\(model)-\(name)", BarChart(ChartHeader(title, id: "\(model) \(name)"), axis: axis, bars: bars).svg())
    }
    return [
      chart("price", "Price of a million output tokens", Axis("Price", unit: AxisUnit("USD"))) { $0.perMillionOutput },
      chart("energy", "Energy of an output token", Axis("Energy", unit: .joules)) { $0.energyPerOutputToken.value },
      chart("devices", "Devices", Axis("Devices")) { Double($0.devices) },
      chart("headroom", "How much the load may grow", Axis("Headroom", unit: .percent)) { $0.headroom },
    ]
  }

  private var assumptions: [String] {
    var list: [String] = []
    for best in text.answer.outcomes.compactMap(\.best) {
      let device = best.deployment.platform.device
      let price =
        device.citations.filter { $0.key.hasPrefix("price") }.sorted { $0.key < $1.key }.map(\.value).first
        ?? "no price"
      let line =
        "\(device.name): \(device.price?.hourly?.description ?? "-") (\(price)); calibrations "
        + best.deployment.calibrations.joined(separator: ", ")
      if !list.contains(line) { list.append(line) }
    }
    return list + text.site.citations.sorted { $0.key < $1.key }.map { "\(text.site.name), \($0.key): \($0.value)" }
  }
}
