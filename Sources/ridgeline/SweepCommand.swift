import ArgumentParser
import CostModels
import Documents
import Execution
import Foundation
import Quantities
import Reporting
import Store
import Studies

struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Runs a scenario with its fields varied, into a store.",
    discussion: """
      Fields are paths into the scenario file: parallelism.tensor, hardware, \
      traffic.rate_per_s, pools[0].replicas, scale.memory_bandwidth. A grid \
      takes every combination; --sample takes a Latin hypercube. With the key \
      'batch' points are static batches, priced in closed form. All cores work; \
      after an interrupt, a kill or a full disk the same command goes on where \
      it stopped. At the end: the Pareto front, the best point under the \
      constraints, and elasticities. Documentation/sweeps.md has the file \
      format, shards, Slurm, Kubernetes and GNU parallel.

        ridgeline sweep chat-fcfs --vary traffic.rate_per_s=4..20:5 \\
            --vary hardware=h100-sxm,a100-sxm-80gb
        ridgeline sweep my-sweep.yaml --minimise usd_per_million_output_tokens \\
            --subject-to 'ttft_p99_s<=1'
        ridgeline sweep my-sweep.yaml --shard 2/8 --store shard-2.sqlite
        ridgeline sweep my-sweep.yaml --slurm 8
      """)

  @Argument(help: "A sweep file, a scenario file, or the name of a shipped scenario.")
  var file: String

  @Option(help: ArgumentHelp("A field and its values; may be given several times.", valueName: "field=values"))
  var vary: [String] = []

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Points of a Latin hypercube in place of the grid.", valueName: "n"))
  var sample: Int?

  @Option(parsing: .unconditional, help: "Seed of the sample.")
  var sampleSeed: Int?

  @Flag(
    help: "Vary every number of the hardware by a tenth either way, for the elasticity of each output to each of them.")
  var sensitivities = false

  @OptionGroup var options: StoreOptions

  @Option(help: ArgumentHelp("Only this part of the points: 2/8 is the second of eight.", valueName: "i/n"))
  var shard: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Submit as a Slurm job array of so many tasks, follow it, and merge.", valueName: "tasks"))
  var slurm: Int?

  @Option(help: ArgumentHelp("Passed on to sbatch, such as '--partition=long --time=1:00:00'.", valueName: "options"))
  var slurmOptions: String?

  @Option(help: ArgumentHelp("The metric that should be smallest.", valueName: "metric")) var minimise: String?
  @Option(help: ArgumentHelp("The metric that should be largest.", valueName: "metric")) var maximise: String?

  @Option(help: ArgumentHelp("A limit, such as 'ttft_p99_s<=1'; may be given several times.", valueName: "limit"))
  var subjectTo: [String] = []

  @Option(help: ArgumentHelp("Metrics of the Pareto front, two or more, separated by commas.", valueName: "metrics"))
  var pareto: String?

  @Option(help: "How the result is written: table, csv or json. csv and json hold every point.")
  var format = OutputFormat.table

  func run() throws {
    let judgement = try SweepJudgement(self)
    let library = try Library()
    let sweep = try sweep(library)
    let origin = try RunOrigin(library, command: calledWith())
    let shard = try parsedShard()
    if let slurm {
      guard self.shard == nil else { throw UsageError("--slurm makes its own shards; leave out --shard") }
      let tasks = try checked(slurm, "--slurm", 1...100_000)
      let array = SlurmArray(tasks: tasks, options: slurmOptions ?? "", arguments: taskArguments, store: options.path)
      let store = try options.open(.write)
      try array.run(sweep: sweep, uid: sweep.uid(origin), into: store)
      return try report(sweep, store, sweep.uid(origin), judgement)
    }
    guard slurmOptions == nil else { throw UsageError("--slurm-options goes with --slurm") }
    let store = try options.open(.write)
    let runner = ScenarioRunner(ScenarioBuilder(library: library)) { !Interrupt.wanted }
    let sweeps = SweepRunner(sweep, runner: runner, recorder: RunRecorder(origin))
    let tally = try run(sweeps, store, shard)
    standardError(
      "\(tally.done) points run, \(tally.known) were in \(options.path) already"
        + (tally.failed > 0 ? "; \(tally.failed) of them cannot run" : ""))
    try report(sweep, store, sweep.uid(origin), judgement)
  }

  private func sweep(_ library: Library) throws -> Sweep {
    if sensitivities { return try perturbed(library) }
    let points = try sample.map { try checked($0, "--sample", 1...Sweep.mostPoints) }
    let seed = try sampleSeed.map { try checked($0, "--sample-seed", 0...Int.max) }
    return try SweepFile.read(
      file, axes: vary.map { try SweepAxis.parse($0) }, sample: points, seed: seed, library: library)
  }

  /// A sample of hardware whose numbers are a tenth more or less.
  private func perturbed(_ library: Library) throws -> Sweep {
    let numbers = try HardwareNumber.allCases.map {
      try SweepAxis.parse("scale.\($0.rawValue)=0.9..1.1", option: "--sensitivities")
    }
    let points = try checked(sample ?? 64, "--sample", 16...Sweep.mostPoints)
    var sweep = try SweepFile.read(
      file, axes: vary.map { try SweepAxis.parse($0) } + numbers, sample: points, seed: sampleSeed, library: library)
    sweep.name += "-sensitivities"
    return sweep
  }

  private func parsedShard() throws -> Shard {
    guard let shard else { return .whole }
    let parts = shard.split(separator: "/").map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1], let shard = Shard(index: index, of: count)
    else {
      throw UsageError("--shard: found '\(shard)', expected i/n with i from 1 to n, such as 2/8")
    }
    return shard
  }

  private func run(_ sweeps: SweepRunner, _ store: Store, _ shard: Shard) throws -> SweepRunner.Tally {
    var progress: ProgressBar?
    var known = 0
    do {
      let tally = try sweeps.run(into: store, shard: shard) { done, total in
        // Known points took no time, so they must not count in the time that is left.
        if progress == nil {
          known = done
          progress = ProgressBar("sweeping", total: total - done)
        }
        progress?.update(done - known)
      }
      progress?.finish(tally.done)
      return tally
    } catch is RunStopped {
      throw Interrupted(
        description: "interrupted; what is done is in \(options.path), and the same command goes on from there")
    }
  }

  private func report(_ sweep: Sweep, _ store: Store, _ uid: String, _ judgement: SweepJudgement) throws {
    let id = try store.sweep(named: uid).id
    let findings = SweepFindings(try store.points(of: id))
    switch format {
    case .csv, .json: try printTable(ResultTableOutput(findings.table()), format)
    case .table: try standardOutput(try judgement.text(findings))
    }
  }

  /// What a task of a job array is called with, but for its shard and store.
  private var taskArguments: [String] {
    var arguments = ["sweep", absolute(file)]
    for axis in vary { arguments += ["--vary", axis] }
    if sensitivities { arguments.append("--sensitivities") }
    if let sample { arguments += ["--sample", String(sample)] }
    if let sampleSeed { arguments += ["--sample-seed", String(sampleSeed)] }
    return arguments + ["--format", "csv"]
  }

  private func absolute(_ name: String) -> String {
    FileManager.default.fileExists(atPath: name) ? URL(fileURLWithPath: name).path : name
  }
}

/// What a sweep is asked at its end.
struct SweepJudgement {
  private let goal: SweepGoal?
  private let constraints: [SweepConstraint]
  private let front: [SweepGoal]

  init(_ command: SweepCommand) throws {
    guard command.minimise == nil || command.maximise == nil else {
      throw UsageError("give either --minimise or --maximise")
    }
    goal =
      command.minimise.map { SweepGoal($0, lowerIsBetter: true) }
      ?? command.maximise.map { SweepGoal($0, lowerIsBetter: false) }
    constraints = try command.subjectTo.map { text in
      guard let constraint = SweepConstraint(text) else {
        throw UsageError("--subject-to: found '\(text)', expected a metric with <= or >= and a number")
      }
      return constraint
    }
    guard constraints.isEmpty || goal != nil else {
      throw UsageError("--subject-to goes with --minimise or --maximise")
    }
    let names = command.pareto?.split(separator: ",").map(String.init) ?? []
    guard names.isEmpty || names.count >= 2 else { throw UsageError("--pareto: expected two metrics or more") }
    front = names.map { SweepGoal($0, lowerIsBetter: MetricStyle.lowerIsBetter($0)) }
  }

  /// - Throws: ``UsageError`` for metrics that the sweep does not have.
  func text(_ findings: SweepFindings) throws -> String {
    guard !findings.points.isEmpty else { return "no point has a result\n" + problems(findings) }
    for metric in [goal?.metric].compactMap({ $0 }) + constraints.map(\.metric) + front.map(\.metric)
    where !findings.metrics.contains(metric) {
      throw UsageError(findings.unknown(metric: metric))
    }
    return "\(findings.points.count) points\n" + problems(findings) + "\n" + frontText(findings) + bestText(findings)
      + slopesText(findings)
  }

  private func problems(_ findings: SweepFindings) -> String {
    findings.problems.prefix(5).map { "\($0.count) cannot run: \($0.problem)\n" }.joined()
  }

  private func frontText(_ findings: SweepFindings) -> String {
    let goals = front.isEmpty ? SweepDefaults.front(findings) : front
    guard goals.count >= 2 else { return "" }
    let shown = findings.front(goals)
    let table = findings.table(Array(shown.prefix(20)), metrics: SweepDefaults.columns(findings, goals))
    let names = goals.map { "\($0.metric) (\($0.lowerIsBetter ? "low" : "high"))" }.joined(separator: " against ")
    let more = shown.count > 20 ? "... and \(shown.count - 20) more\n" : ""
    return "Pareto front, \(names): \(shown.count) points\n" + TableRenderer.rows(table) + more + "\n"
  }

  private func bestText(_ findings: SweepFindings) -> String {
    guard let goal else { return "" }
    let best = findings.best(goal, subjectTo: constraints)
    let limits = constraints.isEmpty ? "" : " under " + constraints.map(\.text).joined(separator: " and ")
    let aim = "\(goal.lowerIsBetter ? "lowest" : "highest") \(goal.metric)\(limits)"
    if let point = best.point, let value = point.metrics[goal.metric] {
      let shown = ResultTable.Cell.number(value).text(style: MetricStyle.style(of: goal.metric))
      return
        "Best: \(shown), the \(aim), at point \(point.point): \(point.settingText); \(best.feasible) points qualify\n\n"
    }
    guard let nearest = best.nearest else { return "Best: no point has what the constraints ask for\n\n" }
    let excess = ResultTable.Cell.number(nearest.excess).text(style: .percent)
    return
      "Best: no point meets the constraints. Nearest is point \(nearest.point.point) (\(nearest.point.settingText)): "
      + "\(nearest.constraint.text) binds, missed by \(excess)\n\n"
  }

  private func slopesText(_ findings: SweepFindings) -> String {
    let slopes = SweepDefaults.outputs(findings).flatMap { findings.slopes(of: $0) }
    guard !slopes.isEmpty else { return "" }
    var table = ResultTable(columns: [
      .init("metric"), .init("field"), .init("elasticity", heading: "elasticity"),
      .init("explained", heading: "explained", style: .percent),
    ])
    for slope in slopes {
      table.append([.text(slope.metric), .text(slope.field), .number(slope.elasticity), .number(slope.explained)])
    }
    return "Elasticities: per cent of the metric for one per cent of the field\n" + TableRenderer.rows(table)
  }
}
