import ArgumentParser
import Documents
import Execution
import Reporting
import Studies

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Runs scenarios, platforms or models on the same arrivals and tells differences from chance.",
    discussion: """
      Every scenario serves the traffic of the first. Generated traffic is made \
      up several times, from one seed after another; a trace is cut into ten \
      stretches. What the arrivals do cancels in each pair of runs, so that far \
      smaller differences show than two separate runs could tell. A difference \
      counts as told from chance when its 95 % interval leaves out zero. \
      Options replace the same parts of every scenario. --across makes several \
      of one: platforms, models, policies or any other field of the scenario.

        ridgeline compare chat-fcfs chat-sarathi
        ridgeline compare a.yaml b.yaml c.yaml --rate 20 --format csv
        ridgeline compare chat-fcfs --across hardware=h100-sxm,h200-sxm,mi300x
        ridgeline compare chat-fcfs --across model=llama-3-8b,qwen3-8b \\
            --across scheduler=fcfs,sarathi
      """)

  @Argument(help: "Scenarios, the one to compare with first: names from 'ridgeline list scenarios', or paths.")
  var scenarios: [String]

  @Option(
    help: ArgumentHelp(
      "A field of the scenarios and the values to compare, such as hardware=h100-sxm,mi300x; may be given several times.",
      valueName: "field=values"))
  var across: [String] = []

  @OptionGroup var options: ScenarioOptions

  @Option(parsing: .unconditional, help: "How often generated traffic is made up anew.")
  var replications = 10

  @OptionGroup var pages: PageOptions

  @Option(help: "How the result is written: table, csv or json.")
  var format = OutputFormat.table

  func run() throws {
    let count = try checked(replications, "--replications", 2...10_000)
    let library = try Library()
    let compared = try compared(library)
    let (names, read) = (compared.map(\.name), compared.map(\.scenario))
    guard read.count >= 2 else {
      throw UsageError("found \(read.count) scenario, expected two or more to compare, or --across")
    }
    let runner = ScenarioRunner(ScenarioBuilder(library: library)) { !Interrupt.wanted }
    var progress = ProgressBar("comparing", total: read.count * (read[0].traffic.isTrace ? 1 : count))
    let comparison = try interruptible {
      try ScenarioComparison(read, replications: count, runner: runner) { progress.update($0) }
    }
    progress.finish(read.count * comparison.replications)
    let table = ComparisonTable(comparison, names: names)
    switch format {
    case .table: try standardOutput(table.text)
    case .csv: try standardOutput(MachineRenderer.csv(table.rows))
    case .json: try standardOutput(MachineRenderer.json(table.rows))
    }
    for note in table.notes { standardError("Note: \(note)") }
    try pages.write { ComparisonPage(table, command: calledWith()).page }
  }

  /// Every scenario, or every combination of the fields that are compared in it.
  private func compared(_ library: Library) throws -> [(name: String, scenario: Scenario)] {
    guard !across.isEmpty else { return try scenarios.map { ($0, try options.scenario($0, library)) } }
    let axes = try across.map { try SweepAxis.parse($0, option: "--across") }
    return try scenarios.flatMap { name -> [(name: String, scenario: Scenario)] in
      let variants = try SweepFile.read(name, axes: axes, sample: nil, seed: nil, library: library).scenarios()
      return try variants.map { variant in
        let title = scenarios.count > 1 ? "\(name) \(variant.name)" : variant.name
        return (name: title, scenario: try options.applied(to: variant.scenario))
      }
    }
  }
}

/// Runs of which nothing can be said before all are done: an interrupt leaves nothing behind.
func interruptible<Result>(_ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch is RunStopped {
    throw Interrupted(description: "interrupted before there was a result")
  }
}

/// A comparison as rows: one for each metric and scenario.
struct ComparisonTable {
  typealias Column = ResultTable.Column
  typealias Cell = ResultTable.Cell
  let comparison: ScenarioComparison
  let names: [String]

  init(_ comparison: ScenarioComparison, names: [String]) {
    self.comparison = comparison
    self.names = names
  }

  var rows: ResultTable {
    var table = ResultTable(columns: [
      Column("metric"), Column("scenario"), Column("value"), Column("value_half_width"), Column("difference"),
      Column("difference_half_width"), Column("relative_difference"), Column("told_from_chance"),
    ])
    for metric in RunMetric.allCases {
      for index in names.indices where comparison.value(metric, of: index) != nil {
        let difference = index == 0 ? nil : comparison.differenceInterval(metric, of: index)
        table.append([
          .text(metric.rawValue), .text(names[index]), Cell(comparison.value(metric, of: index)),
          Cell(comparison.interval(metric, of: index)?.halfWidth),
          Cell(index == 0 ? nil : comparison.difference(metric, of: index)), Cell(difference?.halfWidth),
          Cell(relative(metric, index)), Cell(difference.map { $0.excludes(0) ? "yes" : "no" }),
        ])
      }
    }
    return table
  }

  private func relative(_ metric: RunMetric, _ index: Int) -> Double? {
    guard index > 0, let difference = comparison.difference(metric, of: index),
      let first = comparison.value(metric, of: 0), first != 0
    else { return nil }
    return difference / first
  }

  /// What is compared in words and drawn.
  static let main: [RunMetric] = [.ttftP99, .tpotP99, .tokenRate, .goodput, .energyPerToken, .pricePerMillionTokens]

  /// One sentence for each scenario after the first: what differs, and what chance may explain.
  var words: [String] {
    names.indices.dropFirst().map { index in
      let told = Self.main.filter { isTold($0, index) }.map { changed($0, index) }
      let others = Self.main.filter { comparison.difference($0, of: index) != nil && !isTold($0, index) }
      let chance = others.map(\.heading).joined(separator: ", ")
      let differs = told.isEmpty ? "nothing differs by more than chance" : told.joined(separator: ", ")
      let rest = told.isEmpty || others.isEmpty ? "" : "; \(chance) by no more than chance"
      return "\(names[index]) against \(names[0]): \(differs)\(rest)."
    }
  }

  private func isTold(_ metric: RunMetric, _ index: Int) -> Bool {
    comparison.differenceInterval(metric, of: index)?.excludes(0) ?? false
  }

  /// By how much, and between which bounds: `P99 TTFT 35 % lower (20 % to 50 %)`.
  private func changed(_ metric: RunMetric, _ index: Int) -> String {
    guard let share = relative(metric, index), let first = comparison.value(metric, of: 0),
      let interval = comparison.differenceInterval(metric, of: index)
    else {
      let shown = comparison.value(metric, of: index).map { text($0, metric) } ?? "-"
      return "\(metric.heading) \(shown)"
    }
    func percent(_ value: Double) -> String { Cell.number(value).text(style: .percent) }
    let bounds = [abs(share) - interval.halfWidth / abs(first), abs(share) + interval.halfWidth / abs(first)]
    return "\(metric.heading) \(percent(abs(share))) \(share < 0 ? "lower" : "higher") "
      + "(\(percent(bounds[0])) to \(percent(bounds[1])))"
  }

  var text: String { caption + "\n\n" + TableRenderer.rows(sideBySide) + "\n" + words.map { $0 + "\n" }.joined() }

  /// A row for each metric, scenarios beside one another.
  var sideBySide: ResultTable {
    let others = names.indices.dropFirst()
    let columns = [Column("metric"), Column(names[0])] + others.flatMap { [Column(names[$0]), Column("difference")] }
    var table = ResultTable(columns: columns)
    for metric in RunMetric.allCases where comparison.value(metric, of: 0) != nil {
      table.append(
        [.text(metric.heading), Cell(comparison.value(metric, of: 0).map { text($0, metric) })]
          + others.flatMap { index in
            [Cell(comparison.value(metric, of: index).map { text($0, metric) }), .text(difference(metric, index))]
          })
    }
    return table
  }

  /// What was compared, and what the signs mean.
  var caption: String {
    let stretches = "in \(comparison.replications) stretches of one trace"
    let how = comparison.isOfStretches ? stretches : "\(comparison.replications) times"
    return "\(groupedDigits(comparison.requests)) requests \(how), the first "
      + "\(groupedDigits(comparison.warmUp)) not counted; differences from \(names[0]) with 95 % intervals, "
      + "* told from chance"
  }

  private func text(_ value: Double, _ metric: RunMetric) -> String {
    Cell.number(value).text(style: metric.style)
  }

  private func difference(_ metric: RunMetric, _ index: Int) -> String {
    guard let difference = comparison.difference(metric, of: index) else { return "-" }
    let sign = difference > 0 ? "+" : ""
    guard let interval = comparison.differenceInterval(metric, of: index) else {
      return sign + text(difference, metric)
    }
    return "\(sign)\(text(difference, metric)) ± \(text(interval.halfWidth, metric))"
      + (interval.excludes(0) ? " *" : "")
  }

  /// What a reader must know before trusting the numbers.
  var notes: [String] {
    zip(names, comparison.saturated).filter { $0.1 > 0 }.map { name, count in
      let runs = comparison.isOfStretches ? 1 : comparison.replications
      return "\(name) was saturated in \(count) of \(runs) runs: requests piled up, and its latencies grow with the run"
    }
  }
}
