import ArgumentParser
import Documents
import Execution
import Reporting
import Serving
import Studies
import Workloads

struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Replays a trace, or generated traffic, through a serving engine.",
    discussion: """
      A scenario file says what serves, by which policies, under which traffic; \
      options say the same, and replace what a file says. The runtime decides \
      what neither says: how steps are composed, prefix cache, preemption. \
      Traces: Azure LLM 2023 and 2024 CSV, BurstGPT CSV, Mooncake JSON lines, \
      vLLM request logs, or a CSV of arrival_s, input_tokens, output_tokens (or \
      arrived_at, num_prefill_tokens, num_decode_tokens); Workloads/README.md \
      has the rest. Columns and their meaning are in Documentation/columns.md.

        ridgeline simulate --model llama-3-8b --hardware h100-sxm \\
            --traffic azure-conversation --rate 12
        ridgeline simulate --model llama-3-8b --hardware h100-sxm \\
            --trace AzureLLMInferenceTrace_conv.csv
        ridgeline simulate chat-replicas --replicas 8 --requests out.csv
      """)

  @Argument(help: "A scenario: a name from 'ridgeline list scenarios', or a path to a scenario file.")
  var scenario: String?

  @OptionGroup var options: ScenarioOptions
  @OptionGroup(title: "Measurement") var measure: MeasureOptions

  @Option(help: ArgumentHelp("Write one row a request, in order of completion.", valueName: "file.csv"))
  var requests: String?

  @OptionGroup(title: "Keeping it") var keep: KeepOptions

  @Option(help: "How the summary is written: table, csv or json.")
  var format = OutputFormat.table

  func run() throws {
    if requests == "" { throw UsageError("--requests: found an empty text, expected a file") }
    let library = try Library()
    let scenario = try options.scenario(scenario, library)
    let output = requests ?? scenario.outputs.requests
    if case .trace(let path) = scenario.traffic.origin {
      try OutputFile.refuse(output, replacing: path)
      try ReplayFiles.refuse(measure, replacing: path)
    }
    let builder = ScenarioBuilder(library: library)
    let plan = try builder.cluster(scenario)
    var source = try builder.source(scenario)
    let measurement = try measure.measurement(of: scenario)
    var engine = try ServingEngine(plan, measuring: measurement)
    for note in plan.notes { standardError("Note: \(note)") }
    let files = try ReplayFiles(requests: output, measure, classes: source.classes, measuring: measurement)
    let keeper = try keep.keeper(library)
    let collector = keeper.map { _ in RunCollector(source.classes) }
    let result = try replay(&engine, &source, files.observed(by: collector), total: total(scenario, source))
    guard result.arrived > 0 else { throw DataError(file: scenario.trafficName, problem: "holds no requests") }
    noteRejections(result, plan)
    if let note = ReplayNotes.saturation(result) { standardError("Note: \(note)") }
    if let keeper, let collector, !result.interrupted {
      let run = collector.outcome(result)
      var scenario = scenario
      scenario.document = options.document(of: scenario, named: self.scenario)
      try keeper.add(keeper.recorder.replay(scenario, plan, run, samples: collector.samples, isDetailed: true))
    }
    try report(result, plan.pools[0].replica.deployment, scenario, files)
    if let output, !result.interrupted {
      standardError("wrote \(groupedDigits(result.arrived)) requests to \(output)")
    }
  }

  private func replay(
    _ engine: inout ServingEngine, _ source: inout any RequestSource, _ files: ReplayFiles, total: Int?
  ) throws -> ServingResult {
    var progress = ProgressBar("replaying", total: total ?? 1)
    let observer = files.observer { done in
      progress.update(done)
      return !Interrupt.wanted
    }
    let result = try engine.run(&source, observer: observer)
    progress.finish(result.metrics.ended)
    return result
  }

  /// How many requests will come, where that can be told; lines of a trace that is not too long to count.
  private func total(_ scenario: Scenario, _ source: any RequestSource) -> Int? {
    if let count = source.count { return count }
    guard case .trace(let path) = scenario.traffic.origin,
      let bytes = try? TextFile.bytes(at: path, limit: 64 << 20)
    else { return nil }
    let lines = bytes.count { $0 == UInt8(ascii: "\n") }
    return min(lines, scenario.traffic.requests ?? lines)
  }

  private func noteRejections(_ result: ServingResult, _ plan: ClusterPlan) {
    guard result.metrics.rejected > 0 else { return }
    let longest = plan.pools.map(\.replica.limits.maxModelLength).max() ?? 0
    let admission = type(of: plan.admission).description.name == AdmitAll.description.name
    let reason =
      admission
      ? "are longer than \(groupedDigits(longest)) tokens (--max-model-len) or than the whole cache, and were rejected"
      : "were rejected: turned away, or longer than \(groupedDigits(longest)) tokens or the whole cache"
    standardError(
      "Note: \(groupedDigits(result.metrics.rejected)) of \(groupedDigits(result.arrived)) requests \(reason)")
  }

  private func report(
    _ result: ServingResult, _ deployment: Deployment, _ scenario: Scenario, _ files: ReplayFiles
  ) throws {
    let table = ServingTable.summary(result, deployment, traffic: scenario.trafficName)
    switch format {
    case .table: try standardOutput(ServingTable.text(result, deployment, traffic: scenario.trafficName))
    case .csv: try standardOutput(MachineRenderer.csv(table))
    case .json: try standardOutput(MachineRenderer.json(table))
    }
    try files.finish()
    if result.interrupted {
      throw Interrupted(description: "interrupted; the results above are of the \(result.arrived) requests until then")
    }
  }
}
