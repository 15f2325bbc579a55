import ArgumentParser
import Documents
import Execution
import Quantities
import Reporting
import Studies

struct ClaimsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "claims",
    abstract: "Compares predictions with what publications claim.",
    discussion: """
      Each claim of Workloads/Scenarios/Claims is run as published, its \
      baseline as a plan of its own. All of them: a summary, and the report in \
      Reports/Claims beside Workloads. One of them: its figures, and with \
      --explain both plans side by side and where their time goes.

        ridgeline claims
        ridgeline claims --claim marlin-tpot-vllm --explain
        ridgeline claims --no-report --format csv
      """)

  @Option(help: "One claim, by its id.")
  var claim: String?

  @Flag(help: "Show a claim's plans side by side, and where their time goes.")
  var explain = false

  @Flag(inversion: .prefixedNo, help: "Write the report when all claims are run.")
  var report = true

  @Option(help: ArgumentHelp("Folder for the report; default: Reports/Claims beside Workloads.", valueName: "folder"))
  var output: String?

  @Option(help: "How the figures are written: table, csv or json.")
  var format = OutputFormat.table

  func run() throws {
    guard !explain || claim != nil else { throw UsageError("--explain needs --claim, the id of the claim to explain") }
    let library = try Library()
    let runner = ClaimRunner(library: library)
    let files = try library.claims().all()
    try refuseRepeats(files)
    if let claim { return try one(claim, files, runner) }
    let all = files.flatMap { file in file.claims.map { (file, $0) } }
    let scored = try ParallelWork.map(all.count) { try runner.score(all[$0].1, of: all[$0].0) }
    try write(scored)
    guard report, format == .table || output != nil else { return }
    for path in try ClaimReport(scored).write(to: output ?? library.folder + "/Reports/Claims") {
      standardError("wrote \(path)")
    }
  }

  private func one(_ id: String, _ files: [ClaimFile], _ runner: ClaimRunner) throws {
    let ids = files.flatMap { $0.claims.map(\.id) }
    guard let file = files.first(where: { $0.claims.contains { $0.id == id } }),
      let claim = file.claims.first(where: { $0.id == id })
    else {
      let hint = nearestName(to: id, among: ids).map { "; did you mean '\($0)'?" } ?? ""
      throw UsageError("--claim: unknown claim '\(id)'\(hint) ('ridgeline claims --no-report' shows all \(ids.count))")
    }
    let scored = try runner.score(claim, of: file)
    guard explain else { return try write([scored]) }
    guard format == .table else { throw UsageError("--explain is for reading; it does not go with --format") }
    try standardOutput(ClaimExplanation(scored, runner.evaluator).text())
  }

  private func write(_ scored: [ScoredClaim]) throws {
    let report = ClaimReport(scored)
    switch format {
    case .csv: try standardOutput(MachineRenderer.csv(report.rows))
    case .json: try standardOutput(MachineRenderer.json(report.rows))
    case .table:
      try standardOutput(TableRenderer.rows(report.readable(scored)))
      for item in scored {
        if let reason = item.claim.unpredicted, scored.count == 1 { try standardOutput("not predicted: \(reason)\n") }
      }
      guard scored.count > 1 else { return }
      try standardOutput("\n" + report.counts + "\n\n" + TableRenderer.rows(report.totals))
    }
  }

  private func refuseRepeats(_ files: [ClaimFile]) throws {
    var seen: [String: String] = [:]
    for file in files {
      for claim in file.claims {
        if let other = seen.updateValue(file.name, forKey: claim.id) {
          throw DataError(file: file.name, problem: "has the claim '\(claim.id)', which \(other) has already")
        }
      }
    }
  }
}
