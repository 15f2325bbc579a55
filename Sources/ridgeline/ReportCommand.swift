import ArgumentParser
import Documents
import Foundation
import Reporting
import Store
import Studies

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Writes a stored run or sweep as one HTML file.",
    discussion: """
      The page needs no network and no script, reads on a phone, on dark ground \
      and on paper: the answer in words, rooflines with the operators on them, \
      latencies, the cluster over time, memory, energy, sensitivities, the \
      Pareto front of a sweep, assumptions with their sources. --charts writes \
      the same drawings as SVG files, and as PNG where rsvg-convert is there.

        ridgeline report 1 --output run.html
        ridgeline report batch-and-tp --output sweep.html --charts out/charts
      """)

  @Argument(
    help: ArgumentHelp("A run's number or uid, or the name, number or uid of a sweep with --sweep.", valueName: "run"))
  var name: String

  @Flag(help: "The name is a sweep's.") var sweep = false
  @OptionGroup var options: StoreOptions
  @Option(help: ArgumentHelp("The page; default: report.html.", valueName: "file.html")) var output = "report.html"
  @Option(help: ArgumentHelp("Write the drawings here too.", valueName: "folder")) var charts: String?
  @Option(
    help: ArgumentHelp("Metrics of a sweep's Pareto front, two or more, separated by commas.", valueName: "metrics"))
  var pareto: String?

  func run() throws {
    let store = try options.open(.read)
    try PageFiles(page: page(store), output: output, charts: charts).write()
  }

  /// A name that is no number is a sweep's where there is one.
  private func page(_ store: Store) throws -> ReportPage {
    let isSweep = try sweep || (Int(name) == nil && store.sweeps().contains { $0.name == name })
    guard isSweep else {
      guard pareto == nil else { throw UsageError("--pareto is for sweeps") }
      return try RunReport(store.run(name), in: store).page
    }
    let front = pareto.map {
      $0.split(separator: ",").map { SweepGoal(String($0), lowerIsBetter: MetricStyle.lowerIsBetter(String($0))) }
    }
    guard front.map({ $0.count >= 2 }) ?? true else { throw UsageError("--pareto: expected two metrics or more") }
    return try SweepReport(store.sweep(named: name), in: store, front: front).page
  }
}

/// A page with its drawings, on disk.
struct PageFiles {
  let page: ReportPage
  let output: String?
  let charts: String?

  func write() throws {
    if let output {
      try write(page.html, to: output)
      standardError("wrote \(output)")
    }
    guard let charts else { return }
    for chart in page.charts { try write(chart.svg, to: "\(charts)/\(chart.name).svg") }
    let drawn = try rasterised(charts)
    standardError("wrote \(page.charts.count) drawings to \(charts)" + (drawn ? ", as SVG and PNG" : " as SVG"))
  }

  private func write(_ text: String, to path: String) throws {
    let file = try OutputFile(path: path)
    try file.write(text)
    try file.finish()
  }

  /// - Returns: Whether there is a program that makes PNG files.
  private func rasterised(_ folder: String) throws -> Bool {
    for chart in page.charts {
      let file = "\(folder)/\(chart.name)"
      guard let answer = try? Shell.run(["rsvg-convert", "--width", "960", "--output", file + ".png", file + ".svg"])
      else {
        standardError("Note: no PNG files, because rsvg-convert is not installed (Debian: librsvg2-bin)")
        return false
      }
      guard answer.code == 0 else {
        throw DataError(file: file + ".svg", problem: "cannot be turned into PNG: \(answer.messages.prefix(200))")
      }
    }
    return true
  }
}
