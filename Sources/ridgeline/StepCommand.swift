import ArgumentParser
import Documents
import Execution
import ModelGraph
import Quantities
import Reporting

struct StepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Schedules one step over a platform's devices, links and drives, and says what it waits for.",
    discussion: """
      A plan says where tensors live and operators run ('ridgeline list plans'). \
      The table tells, for each resource, how long it worked, how much of that \
      the step waited for, and how much shorter the step gets with more of it.

        ridgeline step --model llama-3-8b --hardware gaming-pc --plan kv-host \\
            --context 100000
        ridgeline step --model mixtral-8x7b --hardware gaming-pc \\
            --plan experts-cpu --timeline out/step.svg
        ridgeline step --model opt-13b --hardware a6000-workstation-csd \\
            --plan attention-csd --batch 64 --context 1536 --format csv
      """)

  @OptionGroup var deployment: DeploymentOptions

  @Option(parsing: .unconditional, help: "Sequences in the step.")
  var batch = 1

  @Option(parsing: .unconditional, help: "Tokens each sequence has when it decodes, the new one included.")
  var context = 1024

  @Option(
    parsing: .unconditional,
    help: "Prompt tokens of each sequence that the step takes in, after the context, in place of decoding.")
  var prefill: Int?

  @Option(help: ArgumentHelp("Drawing (.svg) or Perfetto file (.json) of the step.", valueName: "file"))
  var timeline: String?

  @Option(help: "How the resources are written: table, csv or json.")
  var format = OutputFormat.table

  @Flag(help: "Show the step without each member of a pipeline in turn, and what dealing out its layers anew takes.")
  var members = false

  @Flag(help: "Leave out the elasticities, which schedule the step once for each rate.")
  var quick = false

  func run() throws {
    let step = StepReportBuilder.Request(
      sequences: try checked(batch, "--batch", BatchCase.sequenceRange),
      context: try checked(context, "--context", 0...100_000_000),
      prefill: try prefill.map { try checked($0, "--prefill", BatchCase.tokenRange) })
    if step.prefill == nil, step.context == 0 { throw UsageError("--context: found 0, expected at least 1 to decode") }
    if let timeline, !timeline.hasSuffix(".svg"), !timeline.hasSuffix(".json") {
      throw UsageError("--timeline: found '\(timeline)', expected a name that ends in .svg or .json")
    }
    let library = try Library()
    let deployment = try deployment.placed(by: library, for: step.batch)
    for note in deployment.notes { standardError("Note: \(note)") }
    let report = try StepReportBuilder(deployment, step, withElasticities: !quick && !members)
    guard !report.schedule.isBeyondClock else {
      throw UsageError("this step takes longer than the 46 days that its clock counts; ask for a smaller one")
    }
    if members {
      let table = try report.memberships()
      switch format {
      case .csv: try standardOutput(MachineRenderer.csv(table))
      case .json: try standardOutput(MachineRenderer.json(table))
      case .table: try standardOutput(report.title + "\n\n" + TableRenderer.rows(table))
      }
      return
    }
    if let timeline { try ScheduleDrawing(report.schedule, title: report.title).write(to: timeline) }
    switch format {
    case .csv: try standardOutput(MachineRenderer.csv(report.resources))
    case .json: try standardOutput(MachineRenderer.json(report.resources))
    case .table: try standardOutput(report.text)
    }
    if let timeline { standardError("wrote \(timeline)") }
  }
}
