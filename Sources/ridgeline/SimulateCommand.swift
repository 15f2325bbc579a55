import ArgumentParser
import Documents
import Execution
import Reporting
import Serving
import Workloads

struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Replays a trace, or generated traffic, through a serving engine.",
    discussion: """
      Continuous batching with chunked prefill and a paged KV cache, first come \
      first served, preemption by recomputation, one replica. Traces: Azure LLM \
      2023 CSV, Mooncake JSON lines, or a CSV of arrival_s, input_tokens, \
      output_tokens (or arrived_at, num_prefill_tokens, num_decode_tokens). Columns and their meaning are in Documentation/columns.md.

        ridgeline simulate --model llama-3-8b --hardware h100-sxm \\
            --traffic azure-conversation --rate 12
        ridgeline simulate --model llama-3-8b --hardware h100-sxm \\
            --trace AzureLLMInferenceTrace_conv.csv
        ridgeline simulate --model llama-3-70b --hardware hgx-h100 --tp 8 \\
            --traffic chat-short --requests out.csv
      """)

  @OptionGroup var deployment: DeploymentOptions
  @OptionGroup var traffic: TrafficOptions
  @OptionGroup var limits: LimitOptions

  @Option(help: ArgumentHelp("Write one row a request, in order of completion.", valueName: "file.csv"))
  var requests: String?

  @Option(help: "How the summary is written: table, csv or json.")
  var format = OutputFormat.table

  func run() throws {
    try OutputFile.refuse(requests, replacing: traffic.trace)
    let library = try Library()
    let request = try deployment.request()
    var source = try traffic.source(library)
    let deployment = try library.deployment(request)
    let limits = try limits.applied(to: ServingLimits(deployment))
    var engine = try ServingEngine(deployment, limits: limits)
    for note in deployment.notes { standardError("Note: \(note)") }

    let file = try requests.map { try RequestFile(path: $0) }
    let total = source.count ?? traffic.requestsInTrace()
    var progress = ProgressBar("replaying", total: total ?? 1)
    let observer = ServingEngine.Observer(
      onEnd: file.map { file in { record in try file.write(record) } },
      shouldContinue: { done in
        progress.update(done)
        return !Interrupt.wanted
      })
    let result = try engine.run(&source, observer: observer)
    progress.finish(result.metrics.completed + result.metrics.rejected)
    guard result.arrived > 0 else { throw DataError(file: traffic.name, problem: "holds no requests") }
    if result.metrics.rejected > 0 {
      standardError(
        "Note: \(groupedDigits(result.metrics.rejected)) of \(groupedDigits(result.arrived)) requests are longer than "
          + "\(groupedDigits(limits.maxModelLength)) tokens (--max-model-len) or than the whole cache, and were rejected"
      )
    }
    try report(result, deployment, file)
  }

  private func report(_ result: ServingResult, _ deployment: Deployment, _ file: RequestFile?) throws {
    let table = ServingTable.summary(result, deployment, traffic: traffic.name)
    switch format {
    case .table: try standardOutput(ServingTable.text(result, deployment, traffic: traffic.name))
    case .csv: try standardOutput(MachineRenderer.csv(table))
    case .json: try standardOutput(MachineRenderer.json(table))
    }
    try file?.finish()
    if let requests { standardError("wrote \(groupedDigits(result.arrived)) requests to \(requests)") }
    if result.interrupted {
      throw Interrupted(description: "interrupted; the results above are of the \(result.arrived) requests until then")
    }
  }
}

/// Where the requests come from.
struct TrafficOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Recorded traffic to replay.", valueName: "file"))
  var trace: String?

  @Option(help: "Traffic to generate: a name from 'ridgeline list traffic', or a path to a traffic file.")
  var traffic: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("Requests to generate, or to read at most.", valueName: "n"))
  var count: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Mean arrivals a second of generated traffic.", valueName: "per-s"))
  var rate: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Factor on a trace's arrival times: 0.5 doubles the load.", valueName: "factor"))
  var timeScale: Double?

  @Option(
    parsing: .unconditional, help: "Seed of generated traffic, 1 by default: same seed, same requests.")
  var seed: Int?

  /// What the traffic is called in reports.
  var name: String { trace ?? traffic ?? "" }

  func source(_ library: Library) throws -> any RequestSource {
    let limit = try count.map { try checked($0, "--count", 1...1_000_000_000) }
    let seed = try seed.map { try checked($0, "--seed", 0...Int.max) }
    if trace == "" { throw UsageError("--trace: found an empty text, expected a file") }
    if traffic == "" { throw UsageError("--traffic: found an empty text, expected a name or a file") }
    switch (trace, traffic) {
    case (let trace?, nil):
      guard rate == nil else {
        throw UsageError("--rate is for generated traffic; --time-scale changes a trace's load")
      }
      guard seed == nil else { throw UsageError("--seed is for generated traffic; nothing about a trace is random") }
      let scale = try timeScale.map { try checked($0, "--time-scale", 1e-6...1e6) } ?? 1
      return try TraceReader.open(path: trace, timeScale: scale, limit: limit)
    case (nil, let name?):
      guard timeScale == nil else { throw UsageError("--time-scale is for traces; --rate changes generated traffic") }
      let traffic = try scaled(library.traffic().find(name))
      return TrafficGenerator(traffic, seed: UInt64(seed ?? 1), requests: limit)
    default:
      throw UsageError("give either --trace FILE or --traffic NAME, for example --traffic azure-conversation")
    }
  }

  private func scaled(_ traffic: Workloads.Traffic) throws -> Workloads.Traffic {
    guard let rate else { return traffic }
    guard let scaled = traffic.scaled(toRate: try checked(rate, "--rate", 1e-6...1e6)) else {
      throw UsageError(
        "--rate does not go with \(traffic.name), a closed loop: its users and their think time set the rate")
    }
    return scaled
  }

  /// Lines of a trace, for the progress bar; nothing when they cannot be counted cheaply.
  func requestsInTrace() -> Int? {
    guard let trace, let bytes = try? TextFile.bytes(at: trace, limit: 64 << 20) else { return nil }
    let lines = bytes.count { $0 == UInt8(ascii: "\n") }
    return min(lines, count ?? lines)
  }
}

/// Limits of the scheduler that replace the runtime's.
struct LimitOptions: ParsableArguments {
  @Option(
    name: .customLong("max-num-batched-tokens"), parsing: .unconditional,
    help: "Tokens a step may process; default: the runtime's.")
  var maxBatchedTokens: Int?

  @Option(
    name: .customLong("max-num-seqs"), parsing: .unconditional,
    help: "Sequences admitted at once; default: the runtime's.")
  var maxSequences: Int?

  @Option(
    name: .customLong("max-model-len"), parsing: .unconditional, help: "Longest sequence served; default: the model's.")
  var maxModelLength: Int?

  @Option(
    name: .customLong("num-kv-blocks"), parsing: .unconditional,
    help: "KV blocks; default: what fits in memory by the runtime's rule.")
  var blocks: Int?

  func applied(to limits: ServingLimits) throws -> ServingLimits {
    var limits = limits
    if let maxBatchedTokens {
      limits.maxBatchedTokens = try checked(maxBatchedTokens, "--max-num-batched-tokens", 1...10_000_000)
    }
    if let maxSequences { limits.maxSequences = try checked(maxSequences, "--max-num-seqs", 1...1_000_000) }
    if let maxModelLength { limits.maxModelLength = try checked(maxModelLength, "--max-model-len", 2...1_000_000_000) }
    if let blocks { limits.blocks = try checked(blocks, "--num-kv-blocks", 1...1_000_000_000) }
    return limits
  }
}
