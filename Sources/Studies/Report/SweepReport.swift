import Documents
import Reporting
import Store

/// A stored sweep as a page.
package struct SweepReport {
  private let sweep: StoredSweep
  private let findings: SweepFindings
  private let front: [SweepGoal]

  /// - Parameter front: Metrics of the Pareto front; nothing for the usual ones.
  /// - Throws: `DataError` for a damaged store, ``ScenarioError`` for a metric that the sweep does not have.
  package init(_ sweep: StoredSweep, in store: Store, front: [SweepGoal]? = nil) throws {
    self.sweep = sweep
    findings = SweepFindings(try store.points(of: sweep.id))
    for goal in front ?? [] where !findings.points.isEmpty && !findings.metrics.contains(goal.metric) {
      throw ScenarioError(findings.unknown(metric: goal.metric))
    }
    self.front = front ?? SweepDefaults.front(findings)
  }

  package var page: ReportPage {
    ReportPage(
      title: sweep.title.isEmpty ? sweep.name : sweep.title, headline: headline,
      sections: [
        .init("Pareto front", frontBlocks), .init("The best of each kind", kinds),
        .init("What changes the outcome", slopes),
        .init("One field at a time", fieldCharts.isEmpty ? [] : [.charts(fieldCharts)]),
        .init("What could not run", problems),
        .init("Where it comes from", origin),
      ],
      footer:
        "Written by ridgeline \(ToolVersion.text) from sweep \(sweep.uid), \(sweep.done) of \(sweep.points) points.")
  }

  private func shown(_ metric: String, _ value: Double?) -> String {
    ResultTable.Cell(value).text(style: MetricStyle.style(of: metric))
  }

  private var headline: String {
    guard !findings.points.isEmpty else { return "No point of this sweep has a result." }
    var text = "\(sweep.done) of \(sweep.points) points are done, \(findings.points.count) with a result."
    for goal in front {
      guard
        let best = findings.points.filter({ $0.metrics[goal.metric] != nil }).min(by: {
          goal.score($0) < goal.score($1)
        })
      else { continue }
      text +=
        "\nThe \(goal.lowerIsBetter ? "lowest" : "highest") \(goal.metric) is \(shown(goal.metric, best.metrics[goal.metric])), with "
        + best.settingText
      let others = front.filter { $0 != goal }.map { "\($0.metric) is \(shown($0.metric, best.metrics[$0.metric]))" }
      text += others.isEmpty ? "." : "; there \(others.joined(separator: " and "))."
    }
    if front.count > 1 { text += "\n\(findings.front(front).count) points are not beaten in all of these." }
    return text
  }

  // MARK: Front

  private var frontBlocks: [ReportPage.Block] {
    guard front.count >= 2 else { return [] }
    let kept = findings.front(front)
    let names = Set(kept.map(\.point))
    let others = findings.points.filter { !names.contains($0.point) }
    func points(_ list: [StoredPoint]) -> [ScatterChart.Point] {
      list.compactMap { point in
        guard let x = point.metrics[front[0].metric], let y = point.metrics[front[1].metric] else { return nil }
        return ScatterChart.Point(x, y, label: point.settingText)
      }
    }
    let chart = ScatterChart(
      ChartHeader(
        "\(front[1].metric) against \(front[0].metric)", subtitle: "Points that no other beats in both, and the rest"),
      x: axis(front[0].metric), y: axis(front[1].metric),
      series: [.init("not beaten", points(kept)), .init("beaten", points(others))])
    let table = findings.table(Array(kept.prefix(30)), metrics: SweepDefaults.columns(findings, front))
    return [.charts([ReportChart("pareto", chart.svg())]), .table(table, caption: "Points that are not beaten")]
  }

  private func axis(_ metric: String) -> Axis {
    let values = findings.points.compactMap { $0.metrics[metric] }
    let isWide = (values.min() ?? 0) > 0 && (values.max() ?? 0) > 20 * (values.min() ?? 1)
    return Axis(metric, unit: unit(metric), kind: isWide ? .logarithmic : .linear)
  }

  private func unit(_ metric: String) -> AxisUnit {
    switch MetricStyle.style(of: metric) {
    case .time: .seconds
    case .energy: .joules
    case .power: .watts
    case .size: .bytes
    case .percent: .percent
    case .money: AxisUnit("USD")
    default: .none
    }
  }

  /// For each field of words, the best point of each of its values.
  private var kinds: [ReportPage.Block] {
    guard let goal = front.first else { return [] }
    let fields = findings.fields.filter { field in
      findings.points.contains { $0.number(field) == nil }
        && Set(findings.points.compactMap { $0.text(field) }).count > 1
    }
    return fields.map { field in
      var values: [String] = []
      for value in findings.points.compactMap({ $0.text(field) }) where !values.contains(value) { values.append(value) }
      let best = values.compactMap { value in
        findings.points.filter { $0.text(field) == value && $0.metrics[goal.metric] != nil }
          .min { goal.score($0) < goal.score($1) }
      }.sorted { goal.score($0) < goal.score($1) }
      let table = findings.table(best, metrics: SweepDefaults.columns(findings, front))
      return .table(table, caption: "The \(goal.lowerIsBetter ? "lowest" : "highest") \(goal.metric) of each \(field)")
    }
  }

  // MARK: Slopes

  private var slopes: [ReportPage.Block] {
    let all = SweepDefaults.outputs(findings).flatMap { findings.slopes(of: $0) }
    let bars = ReportParts.elasticities(all.map { (output: $0.metric, number: $0.field, value: $0.elasticity) })
    guard let least = all.map(\.explained).min() else { return [] }
    let share = ResultTable.Cell.number(least).text(style: .percent)
    return bars + [.paragraph("Power laws in all fields together explain at least \(share) of the variation.")]
  }

  /// For each number that was varied, the first output against it, a line for each word of the first field of words.
  private var fieldCharts: [ReportChart] {
    guard
      let output = SweepDefaults.outputs(findings).first(where: { $0.contains("tpot") })
        ?? SweepDefaults.outputs(findings).first
    else { return [] }
    let words = findings.fields.first { field in findings.points.contains { $0.number(field) == nil } }
    let numeric = findings.fields.filter { field in
      field != words && Set(findings.points.compactMap { $0.number(field) }).count > 1
    }
    return numeric.map { field in
      var groups: [String] = []
      for point in findings.points {
        let name = words.flatMap { point.text($0) } ?? ""
        if !groups.contains(name) { groups.append(name) }
      }
      let series = groups.map { group in
        ScatterChart.Series(
          group,
          findings.points.filter { point in (words.flatMap { point.text($0) } ?? "") == group }.compactMap { point in
            guard let x = point.number(field), let y = point.metrics[output] else { return nil }
            return ScatterChart.Point(x, y, label: point.settingText)
          })
      }
      let chart = ScatterChart(
        ChartHeader("\(output) by \(field)", id: "field \(field)"), x: Axis(field), y: axis(output), series: series)
      return ReportChart("by-\(field.map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined())", chart.svg())
    }
  }

  private var problems: [ReportPage.Block] {
    findings.problems.isEmpty ? [] : [.list(findings.problems.prefix(10).map { "\($0.count) points: \($0.problem)" })]
  }

  private var origin: [ReportPage.Block] {
    [.list(["version \(sweep.toolVersion)", "data and document \(sweep.uid)"]), .code(sweep.document)]
  }
}
