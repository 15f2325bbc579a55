import Documents
import Reporting

/// A study as a folder: a page of findings, tables as CSV, drawings.
package struct StudyReport {
  private let results: StudyResults
  private let tables: StudyTables
  private let findings: StudyFindings
  private var study: Study { results.study }

  package init(_ results: StudyResults) {
    self.results = results
    tables = StudyTables(results)
    findings = StudyFindings(results: results)
  }

  /// - Parameter command: What repeats the study, for the page.
  /// - Returns: The files written.
  package func write(to folder: String, command: String) throws -> [String] {
    let charts = StudyCharts(results).all
    var files = [
      ("README.md", page(charts.map { ($0.file, $0.page) }, command: command)),
      ("runs.csv", MachineRenderer.csv(tables.runs)), ("summary.csv", MachineRenderer.csv(tables.summary)),
    ]
    if study.searchesCapacities { files.append(("capacities.csv", MachineRenderer.csv(tables.capacities))) }
    files += charts.map { ($0.file, $0.svg) }
    return try files.map { name, text in
      let file = try OutputFile(path: folder + "/" + name)
      try file.write(text)
      try file.finish()
      return file.path
    }
  }

  // MARK: The page

  private func page(_ charts: [(file: String, page: Int?)], command: String) -> String {
    var text =
      "# \(study.title)\n\n\(study.question.trimmed)\n\nWritten by `\(command)`; every number below, those in "
      + "sentences too, comes from its runs.\n\n"
    text += method + "\n" + axes + "\n"
    if study.searchesCapacities {
      text += "## Capacity\n\n" + MarkdownRenderer.rows(tables.capacities) + "\n"
      text += list(findings.overall) + "\n"
      for chart in charts where chart.page == nil { text += "![Capacities](\(chart.file))\n\n" }
    }
    for page in study.pages.indices {
      text += section(page, charts.filter { $0.page == page }.map(\.file))
    }
    return text
  }

  private var method: String {
    let share = ResultTable.Cell.number(study.goal.goodShare).text(style: .percent)
    return "A load is a share of the capacity of \(study.compared.values[0].name): the highest request rate at which "
      + "\(share) of requests have \(study.goal.text), found to 2 %. Every point is the mean of \(study.replications) runs, "
      + "from one seed after another; all that is compared serves the same arrivals. Intervals are Student's at 95 %; a "
      + "star marks what differs from \(study.compared.values[0].name), run by run, beyond chance.\n"
  }

  private var axes: String {
    ([study.compared] + study.facets).map { axis in
      "\(axis.name.prefix(1).uppercased() + axis.name.dropFirst()):\n\n"
        + list(axis.values.map { value in "**\(value.name)**" + (value.about.map { ": " + $0 } ?? "") })
    }.joined(separator: "\n")
  }

  private func section(_ page: Int, _ charts: [String]) -> String {
    let name = study.pageName(study.pages[page])
    let rate = ResultTable.Cell.number(results.referenceRate(page)).text(style: .rate)
    var text = "## \(name.prefix(1).uppercased() + name.dropFirst())\n\n"
    text += "Load 1 is \(rate).\n\n" + list(findings.sentences(page: page)) + "\n"
    for load in study.loads.indices {
      let number = ResultTable.Cell.number(study.loads[load]).text(style: .plain)
      text += "Load \(number):\n\n" + MarkdownRenderer.rows(tables.page(page, load: load)) + "\n"
    }
    for chart in charts { text += "![\(chart.dropLast(4))](\(chart))\n\n" }
    return text
  }

  private func list(_ items: [String]) -> String { items.map { "- \($0)\n" }.joined() }
}

extension String {
  fileprivate var trimmed: String { String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()) }
}
