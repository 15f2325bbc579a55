import ArgumentParser
import Documents
import Foundation
import Reporting
import Store

/// What is in a store.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "Lists, compares, exports, merges and prunes stored runs.",
    discussion: """
      Sweeps go into a store, and so does a replay or a prediction with --store: \
      the scenario, the version and the hashes of its data, the numbers with \
      their intervals, distributions, the cluster over time. A store is one \
      SQLite file; Documentation/store.md describes its tables.

        ridgeline simulate chat-fcfs --store ridgeline.sqlite
        ridgeline runs list
        ridgeline runs diff 1 2
        ridgeline runs query "SELECT name, value FROM runs JOIN predictions ON id = run_id WHERE metric = 'ttft_p99_s'"
        ridgeline runs merge shard-1.sqlite shard-2.sqlite
      """,
    subcommands: [List.self, Show.self, Diff.self, Export.self, Query.self, Merge.self, Prune.self, Check.self],
    defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists runs that stand alone, and sweeps; or the points of one sweep.",
      discussion: "  ridgeline runs list --sweep batch-and-tp --format csv")

    @OptionGroup var options: StoreOptions
    @Option(help: "Points of this sweep: its name, number or uid.") var sweep: String?
    @Option(help: "How the list is written: table, csv or json.") var format = OutputFormat.table

    func run() throws {
      let store = try options.open(.read)
      if let sweep {
        let runs = try store.runs(sweep: store.sweep(named: sweep).id)
        try printTable(ResultTableOutput(StoreTables.runs(runs)), format)
        return
      }
      let (runs, sweeps) = (try store.runs(), try store.sweeps())
      switch format {
      case .table:
        let list = runs.isEmpty ? "no runs that stand alone\n" : TableRenderer.rows(StoreTables.runs(runs))
        let others = sweeps.isEmpty ? "" : "\n" + TableRenderer.rows(StoreTables.sweeps(sweeps))
        try standardOutput(list + others)
      case .csv, .json: try printTable(ResultTableOutput(StoreTables.all(runs, sweeps)), format)
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows all that is known of one run.", discussion: "  ridgeline runs show 3")

    @Argument(help: ArgumentHelp("Its number, or the beginning of its uid.", valueName: "run")) var run_: String
    @OptionGroup var options: StoreOptions
    @Option(help: "How its numbers are written: table, csv or json.") var format = OutputFormat.table

    func run() throws {
      let store = try options.open(.read)
      let run = try store.run(run_)
      let metrics = StoreTables.metrics(try store.metrics(of: run.id))
      let settings = try store.settings(of: run.id)
      let heading = TableRenderer.card(StoreTables.card(run, settings)) + "\n"
      try printTable(ResultTableOutput(metrics, heading: heading), format)
    }
  }

  struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Compares two runs: how they were made, and what they found.",
      discussion: "  ridgeline runs diff 1 2")

    @Argument(help: "The first run.") var first: String
    @Argument(help: "The second run.") var second: String
    @OptionGroup var options: StoreOptions
    @Option(help: "How the numbers are written: table, csv or json.") var format = OutputFormat.table

    func run() throws {
      let store = try options.open(.read)
      let difference = try RunDifference(store.run(first), store.run(second), in: store)
      let origins = difference.origins.map { "\($0.what):\n  \($0.first)\n  \($0.second)\n" }.joined()
      let heading = (origins.isEmpty ? "made alike\n" : origins) + "\n"
      try printTable(ResultTableOutput(difference.table, heading: heading), format)
    }
  }

  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes one table of the store as CSV or JSON, as a whole or of one run.",
      discussion: "  ridgeline runs export predictions --run 3 > predictions.csv")

    @Argument(help: "One of runs, sweeps, settings, predictions, distributions, series, operators, assumptions.")
    var table: ExportedTable
    @Option(name: .customLong("run"), help: "Only of this run.") var run_: String?
    @OptionGroup var options: StoreOptions
    @Option(help: "How it is written: csv or json.") var format = OutputFormat.csv

    func run() throws {
      let store = try options.open(.read)
      var condition = ""
      if let run_ {
        guard table != .sweeps else { throw UsageError("--run does not go with sweeps") }
        condition = " WHERE \(table == .runs ? "id" : "run_id") = \(try store.run(run_).id)"
      }
      try printTable(ResultTableOutput(try store.answer("SELECT * FROM \(table.rawValue)\(condition)")), format)
    }
  }

  struct Query: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Answers a question in SQL.",
      discussion: "  ridgeline runs query \"SELECT count(*) AS runs FROM runs\" --format csv")

    @Argument(help: "One SELECT; Documentation/store.md has the tables.") var sql: String
    @OptionGroup var options: StoreOptions
    @Option(help: "How the answer is written: table, csv or json.") var format = OutputFormat.table

    func run() throws { try printTable(ResultTableOutput(try options.open(.read).answer(sql)), format) }
  }

  struct Merge: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Takes over other stores' sweeps and runs; shards of one sweep become one.",
      discussion: "  ridgeline runs merge shard-1.sqlite shard-2.sqlite --store all.sqlite")

    @Argument(help: "Stores to take from; they stay as they are.") var stores: [String]
    @OptionGroup var options: StoreOptions

    func run() throws {
      for path in stores { _ = try Store(path: path, .read) }
      let store = try options.open(.write)
      for path in stores {
        let merge = try store.merge(from: path)
        standardError(
          "\(path): \(merge.runs) runs and \(merge.sweeps) sweeps taken over, \(merge.known) runs were known")
      }
    }
  }

  struct Prune: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Removes runs and sweeps.",
      discussion: "  ridgeline runs prune --before 2026-01-01 --dry-run")

    @Option(name: .customLong("run"), help: "Remove this run; may be given several times.") var runs: [String] = []
    @Option(name: .customLong("sweep"), help: "Remove this sweep with its points.") var sweeps: [String] = []
    @Option(help: "Remove what was started before this day or moment, UTC: 2026-01-31 or 2026-01-31T12:00:00Z.")
    var before: String?
    @Flag(help: "Remove runs without a result.") var failed = false
    @Flag(help: "Only count what would go.") var dryRun = false
    @OptionGroup var options: StoreOptions

    func run() throws {
      guard !runs.isEmpty || !sweeps.isEmpty || before != nil || failed else {
        throw UsageError("found nothing to remove, expected --run, --sweep, --before or --failed")
      }
      if let before, before.wholeMatch(of: /\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?/) == nil {
        throw UsageError("--before: found '\(before)', expected a day such as 2026-01-31")
      }
      _ = try options.open(.read)
      let store = try options.open(.write)
      var pruning = Store.Pruning()
      pruning.runs = try runs.map { try store.run($0).id }
      pruning.sweeps = try sweeps.map { try store.sweep(named: $0).id }
      pruning.before = before
      pruning.failed = failed
      let count = try store.prune(pruning, isTrial: dryRun)
      standardError("\(dryRun ? "would remove" : "removed") \(count) runs")
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Reads the whole store and tells whether it is sound.", discussion: "  ridgeline runs check")

    @OptionGroup var options: StoreOptions

    func run() throws {
      let faults = try options.open(.read).faults()
      guard faults.isEmpty else {
        throw DataError(file: options.path, problem: "is damaged: \(faults.prefix(3).joined(separator: "; "))")
      }
      standardError("\(options.path) is sound")
    }
  }
}

/// The tables that can be exported.
enum ExportedTable: String, ExpressibleByArgument, CaseIterable {
  case runs, sweeps, settings, predictions, distributions, series, operators, assumptions
}

/// Stored things as rows.
enum StoreTables {
  typealias Column = ResultTable.Column
  typealias Cell = ResultTable.Cell

  static func runs(_ runs: [StoredRun]) -> ResultTable {
    var table = ResultTable(columns: [
      Column("run"), Column("kind"), Column("name"), Column("started_at", heading: "started"), Column("headline"),
    ])
    for run in runs {
      table.append([
        .text(String(run.id)), .text(run.kind), .text(run.name), .text(run.startedAt), .text(run.headline),
      ])
    }
    return table
  }

  static func sweeps(_ sweeps: [StoredSweep]) -> ResultTable {
    var table = ResultTable(columns: [
      Column("sweep"), Column("name"), Column("points"), Column("done"), Column("failed"),
      Column("started_at", heading: "started"), Column("title"),
    ])
    for sweep in sweeps {
      table.append([
        .text(String(sweep.id)), .text(sweep.name), .int(sweep.points), .int(sweep.done), .int(sweep.failed),
        .text(sweep.startedAt), .text(sweep.title),
      ])
    }
    return table
  }

  /// Runs and sweeps in one table, for machines.
  static func all(_ runs: [StoredRun], _ sweeps: [StoredSweep]) -> ResultTable {
    var table = ResultTable(columns: [
      Column("what"), Column("number"), Column("uid"), Column("name"), Column("kind"), Column("started_at"),
      Column("points"), Column("done"), Column("headline"),
    ])
    for run in runs {
      table.append([
        .text("run"), .int(Int(run.id)), .text(run.uid), .text(run.name), .text(run.kind), .text(run.startedAt),
        .missing, .missing, .text(run.headline),
      ])
    }
    for sweep in sweeps {
      table.append([
        .text("sweep"), .int(Int(sweep.id)), .text(sweep.uid), .text(sweep.name), .missing, .text(sweep.startedAt),
        .int(sweep.points), .int(sweep.done), .text(sweep.title),
      ])
    }
    return table
  }

  static func metrics(_ metrics: [StoredMetric]) -> ResultTable {
    var table = ResultTable(columns: [Column("metric"), Column("value"), Column("low"), Column("high")])
    for metric in metrics {
      table.append([.text(metric.metric), Cell(metric.value), Cell(metric.low), Cell(metric.high)])
    }
    return table
  }

  static func card(_ run: StoredRun, _ settings: [Setting]) -> ResultTable {
    var rows: [(String, Cell)] = [
      ("run", .text("\(run.id), uid \(run.uid)")), ("kind", .text(run.kind)), ("name", .text(run.name)),
      ("headline", .text(run.headline)), ("command", .text(run.command)), ("scenario", .text(run.scenario)),
      ("seed", Cell(run.seed)), ("started", .text(run.startedAt)), ("version", .text(run.toolVersion)),
      ("data files", .text(run.dataHash)), ("calibrations", .text(run.calibrations)), ("host", .text(run.host)),
    ]
    if let problem = run.problem { rows.append(("problem", .text(problem))) }
    rows += settings.map { ($0.field, .text($0.value)) }
    var table = ResultTable(columns: rows.map { Column($0.0) })
    table.append(rows.map(\.1))
    return table
  }
}
