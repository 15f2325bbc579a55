import ArgumentParser
import Execution
import Reporting
import Studies

struct CapacityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "capacity",
    abstract: "Finds the largest request rate that meets objectives.",
    discussion: """
      Runs the same requests at one rate after another until the rate that \
      still meets the goal and the one that does not are 2 % apart. The goal: \
      a share of all requests meets the objectives, and the line of requests \
      does not grow without bound. Without objectives, every token is \
      followed: 99 % of requests miss at most a tenth of their deadlines, a \
      first token 100 ms later than on an empty replica, then one every 50 ms.

        ridgeline capacity --model llama-3-8b --hardware h100-sxm \\
            --traffic azure-conversation
        ridgeline capacity chat-replicas --ttft 1s --tpot 50ms --share 0.9
      """)

  @Argument(help: "A scenario: a name from 'ridgeline list scenarios', or a path to a scenario file.")
  var scenario: String?

  @OptionGroup var options: ScenarioOptions

  @Option(parsing: .unconditional, help: "Share of requests that must meet the objectives.")
  var share = CapacityGoal.standardShare

  @Option(parsing: .unconditional, help: "How far apart the ends of the bracket may be, as a share of the rate.")
  var tolerance = 0.02

  @Option(help: "How the result is written: table, csv or json. csv and json hold every trial.")
  var format = OutputFormat.table

  func run() throws {
    let share = try checked(share, "--share", 0.01...1)
    let tolerance = try checked(tolerance, "--tolerance", 1e-4...1)
    let library = try Library()
    let scenario = try options.scenario(scenario, library)
    let builder = ScenarioBuilder(library: library)
    var goal = try builder.goal(of: scenario)
    goal.goodShare = share
    let settings = CapacitySearch.Settings(goal: goal, tolerance: tolerance)
    let runner = ScenarioRunner(builder) { !Interrupt.wanted }
    let search = try interruptible {
      try CapacitySearch(scenario, settings, runner: runner) { trial in
        standardError("\(Cell.number(trial.rate).text(style: .rate)): \(CapacityTable.verdict(trial))")
      }
    }
    switch format {
    case .csv: try standardOutput(MachineRenderer.csv(CapacityTable.trials(search)))
    case .json: try standardOutput(MachineRenderer.json(CapacityTable.trials(search)))
    case .table: try standardOutput(CapacityTable.text(search, settings.goal))
    }
  }

  private typealias Cell = ResultTable.Cell
}

/// What a capacity search says.
enum CapacityTable {
  typealias Column = ResultTable.Column
  typealias Cell = ResultTable.Cell

  private static let metrics: [RunMetric] = [
    .goodShare, .ttftP50, .ttftP99, .tpotP50, .tpotP99, .endToEndP99, .tokenRate, .energyPerToken,
    .pricePerMillionTokens,
  ]

  static func trials(_ search: CapacitySearch) -> ResultTable {
    var table = ResultTable(
      columns: [
        Column("rate_per_s", heading: "rate", style: .rate), Column("meets", heading: "meets the goal"),
        Column("saturated"), Column("completed_share", heading: "completed", style: .percent),
      ] + metrics.map { Column($0.rawValue, heading: $0.heading, style: $0.style) })
    for trial in search.trials.sorted(by: { $0.rate < $1.rate }) {
      table.append(
        [
          .number(trial.rate), .text(trial.meets ? "yes" : "no"), .text(trial.outcome.isSaturated ? "yes" : "no"),
          .number(trial.outcome.completedShare),
        ] + metrics.map { Cell(trial.outcome.summary[$0]) })
    }
    return table
  }

  static func verdict(_ trial: CapacitySearch.Trial) -> String {
    let share = Cell(trial.outcome.summary[.goodShare]).text(style: .percent)
    return "\(share) within objectives\(trial.outcome.isSaturated ? ", saturated" : "")"
      + (trial.meets ? ", meets the goal" : ", does not")
  }

  static func text(_ search: CapacitySearch, _ goal: CapacityGoal) -> String {
    let share = Cell.number(goal.goodShare).text(style: .percent)
    return "goal      \(share) of requests with \(goal.text)\n\(conclusion(search))\n\n"
      + TableRenderer.rows(trials(search))
  }

  private static func conclusion(_ search: CapacitySearch) -> String {
    func rate(_ value: Double) -> String { Cell.number(value).text(style: .rate) }
    if let bracket = search.bracket {
      let above = search.trials.first { $0.rate == bracket.upperBound }
      let saturated = above?.outcome.isSaturated == true ? ", where requests pile up without bound" : ""
      return "capacity  \(rate(bracket.lowerBound)); the goal is missed at \(rate(bracket.upperBound))\(saturated)"
    }
    if let capacity = search.capacity { return "capacity  at least \(rate(capacity)), the highest rate tried" }
    let lowest = search.trials.map(\.rate).min() ?? 0
    return "capacity  none: the goal is missed even at \(rate(lowest)), the lowest rate tried"
  }
}
