import ArgumentParser
import Documents
import Execution
import Quantities
import Reporting
import Studies

struct PlatformsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "platforms",
    abstract: "Prices platforms of unlike devices, and lays published figures beside the predictions.",
    discussion: """
      Platforms are files of Workloads/Scenarios/Platforms. Without names, all of \
      them are priced; --report writes them into a folder.

        ridgeline platforms
        ridgeline platforms headinfer-4090 fiddler --format csv
        ridgeline platforms --report Reports/Examples/platforms
      """)

  @Argument(help: "Names of platforms, or paths to files of your own; all shipped ones when absent.")
  var names: [String] = []

  @Option(help: "How the figures are written: table, csv or json.")
  var format = OutputFormat.table

  @Option(help: ArgumentHelp("Folder for a report with a drawing of each platform's first step.", valueName: "folder"))
  var report: String?

  func run() throws {
    let runner = PlatformRunner(library: try Library())
    let scenarios = names.isEmpty ? try runner.all() : try names.map(runner.find)
    var rows: [PlatformRunner.Row] = []
    for scenario in scenarios { rows += try runner.rows(scenario) }
    if let report { try PlatformReport(runner: runner, scenarios: scenarios, rows: rows).write(to: report) }
    let table = PlatformReport.table(rows)
    switch format {
    case .csv: try standardOutput(MachineRenderer.csv(table))
    case .json: try standardOutput(MachineRenderer.json(table))
    case .table: try standardOutput(TableRenderer.rows(PlatformReport.shortTable(rows)))
    }
  }
}
