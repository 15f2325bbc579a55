import Reporting

/// A study's results as tables.
package struct StudyTables {
  typealias Column = ResultTable.Column
  typealias Cell = ResultTable.Cell
  let results: StudyResults
  private var study: Study { results.study }

  package init(_ results: StudyResults) { self.results = results }

  private var facetColumns: [Column] { study.facets.map { Column($0.name) } }

  private func facetCells(_ page: [Int]) -> [Cell] { zip(study.facets, page).map { .text($0.values[$1].name) } }

  /// One row for each run.
  package var runs: ResultTable {
    var table = ResultTable(
      columns: facetColumns + [
        Column(study.compared.name), Column("load"), Column("rate_per_s"), Column("replication"), Column("saturated"),
      ] + RunMetric.allCases.map { Column($0.rawValue) })
    eachPoint { page, indices, value, load in
      for (number, run) in results.runs[page][value][load].enumerated() {
        table.append(
          facetCells(indices) + [
            .text(study.compared.values[value].name), .number(study.loads[load]), .number(run.rate), .int(number),
            .text(run.isSaturated ? "yes" : "no"),
          ] + RunMetric.allCases.map { Cell(run[$0]) })
      }
    }
    return table
  }

  /// One row for each metric of each value at each load, with intervals.
  package var summary: ResultTable {
    var table = ResultTable(
      columns: facetColumns + [
        Column(study.compared.name), Column("load"), Column("metric"), Column("value"), Column("half_width"),
        Column("difference"), Column("difference_half_width"), Column("told_from_chance"), Column("saturated_runs"),
      ])
    eachPoint { page, indices, value, load in
      for metric in RunMetric.allCases {
        guard let estimate = results.estimate(metric, page: page, value: value, load: load) else { continue }
        table.append(
          facetCells(indices) + [
            .text(study.compared.values[value].name), .number(study.loads[load]), .text(metric.rawValue),
            .number(estimate.value), Cell(estimate.interval?.halfWidth), Cell(estimate.difference?.estimate),
            Cell(estimate.difference?.halfWidth), Cell(estimate.difference.map { $0.excludes(0) ? "yes" : "no" }),
            .int(estimate.saturated),
          ])
      }
    }
    return table
  }

  private func eachPoint(_ body: (Int, [Int], Int, Int) -> Void) {
    for (page, indices) in study.pages.enumerated() {
      for value in study.compared.values.indices {
        for load in study.loads.indices { body(page, indices, value, load) }
      }
    }
  }

  /// Capacities, a row for each value and a column for each page.
  package var capacities: ResultTable {
    var table = ResultTable(
      columns: [Column(study.compared.name)] + study.pages.map { Column(study.pageName($0), style: .rate) })
    for value in study.compared.values.indices {
      table.append(
        [.text(study.compared.values[value].name)] + results.capacities.map { Cell($0[value]) })
    }
    return table
  }

  /// The metrics of one page at one load, for people.
  func page(_ page: Int, load: Int) -> ResultTable {
    var table = ResultTable(columns: [Column(study.compared.name)] + study.metrics.map { Column($0.heading) })
    for value in study.compared.values.indices {
      table.append(
        [.text(study.compared.values[value].name)]
          + study.metrics.map { metric in
            Cell(results.estimate(metric, page: page, value: value, load: load).map { text($0, metric) })
          })
    }
    return table
  }

  private func text(_ estimate: StudyResults.Estimate, _ metric: RunMetric) -> String {
    let value = Cell.number(estimate.value).text(style: metric.style)
    let width = estimate.interval.map { " ± " + Cell.number($0.halfWidth).text(style: metric.style) } ?? ""
    return value + width + (estimate.difference?.excludes(0) == true ? " *" : "")
  }
}
