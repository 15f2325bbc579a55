import Reporting

/// A study's results as drawings.
package struct StudyCharts {
  let results: StudyResults
  private var study: Study { results.study }

  package init(_ results: StudyResults) { self.results = results }

  /// File name and drawing of each chart, in the order of the report.
  package var all: [(file: String, page: Int?, svg: String)] {
    var charts: [(file: String, page: Int?, svg: String)] = []
    if study.searchesCapacities { charts.append(("capacities.svg", nil, capacities.svg())) }
    for page in study.pages.indices {
      for metric in study.metrics {
        charts.append((file(metric, page), page, lines(metric, page).svg()))
      }
    }
    return charts
  }

  private func file(_ metric: RunMetric, _ page: Int) -> String {
    let name = study.pageName(study.pages[page]).map { $0.isLetter || $0.isNumber ? String($0).lowercased() : "-" }
    let stem = name.joined().split(separator: "-").joined(separator: "-")
    return "\(stem)-\(metric.fileStem).svg"
  }

  private func lines(_ metric: RunMetric, _ page: Int) -> LineChart {
    let name = study.pageName(study.pages[page])
    let rate = ResultTable.Cell.number(results.referenceRate(page)).text(style: .rate)
    let series = study.compared.values.indices.map { value in
      LineChart.Series(
        study.compared.values[value].name,
        study.loads.indices.compactMap { load in
          results.estimate(metric, page: page, value: value, load: load).map { estimate in
            LineChart.Point(study.loads[load], estimate.value, interval: estimate.interval?.range)
          }
        })
    }
    let isTime = metric.style == .time
    return LineChart(
      ChartHeader(
        "\(metric.heading) (\(name))",
        subtitle: "Load 1 is \(rate), the capacity of \(study.compared.values[0].name); bands are 95 % intervals"),
      x: Axis("load, share of the capacity of \(study.compared.values[0].name)"),
      y: Axis(metric.heading, unit: metric.unit, kind: isTime ? .logarithmic : .linear), series: series)
  }

  private var capacities: HeatMap {
    let reference = study.compared.values[0].name
    return HeatMap(
      ChartHeader("Capacity, as a multiple of that of \(reference)"),
      columns: ("circumstances", study.pages.map { study.pageName($0) }),
      rows: (study.compared.name, study.compared.values.map(\.name)),
      values: study.compared.values.indices.map { value in
        results.capacities.map { page in
          guard let own = page[value], let first = page[0], first > 0 else { return nil }
          return own / first
        }
      }, of: "capacity over that of \(reference)")
  }
}
