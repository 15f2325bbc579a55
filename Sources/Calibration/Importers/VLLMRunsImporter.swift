import CostModels
import Documents
import Execution
import ModelGraph
import Workloads

/// Reads vllm_runs.csv: served runs of the public training split of inference-sim, with their workload and mean
/// latencies in milliseconds. Prompts are a system prompt and a user's question, asked again and again in turn.
enum VLLMRunsImporter {
  static func read(path: String) throws -> [MeasuredRun] {
    let csv = try CSVReader(path: path)
    let columns = try VLLMRunColumns(csv)
    var runs: [MeasuredRun] = []
    while try csv.next() { runs.append(try columns.run(csv)) }
    guard !runs.isEmpty else { throw DataError(file: path, problem: "has a header and no rows") }
    return runs
  }
}

private struct VLLMRunColumns {
  /// Where each column is that the format must have.
  private let places: [String: Int]

  private static let names = [
    "model", "hardware", "tp", "precision", "max_num_batched_tokens", "max_num_seqs", "gpu_kv_blocks",
    "prefix_caching", "num_system_prompts", "users_per_prompt", "question_len", "system_prompt_len", "output_len",
    "stages_rate_x_sec", "actual_e2e_mean_ms", "actual_ttft_mean_ms", "actual_itl_mean_ms",
  ]

  init(_ csv: CSVReader) throws {
    places = Dictionary(
      uniqueKeysWithValues: try zip(Self.names, Self.names.map(csv.column)).map { ($0, $1) })
  }

  private func place(_ name: String) -> Int { places[name] ?? 0 }

  func run(_ csv: CSVReader) throws -> MeasuredRun {
    let tokens = try int(csv, "question_len") + int(csv, "system_prompt_len")
    let tensor = try csv.int(place("tp"), in: 1...4096)
    var run = MeasuredRun(
      file: csv.file, line: csv.line, device: try csv.text(place("hardware")), deviceCount: tensor,
      runtime: "vllm-v1", model: try csv.text(place("model")),
      batch: BatchCase(sequences: 1, inputTokens: tokens, outputTokens: try int(csv, "output_len")),
      measured: MetricValues(
        endToEnd: try milliseconds(csv, "actual_e2e_mean_ms"), firstToken: try milliseconds(csv, "actual_ttft_mean_ms"),
        perToken: try milliseconds(csv, "actual_itl_mean_ms")))
    run.formats = try formats(csv)
    run.load = .served(try served(csv))
    return run
  }

  private func served(_ csv: CSVReader) throws -> ServedRun {
    let stages = try stages(csv)
    var traffic = TrafficClass(
      lengths: .drawn(
        TrafficClass.DrawnLengths(
          input: .fixed(try int(csv, "question_len")), output: .fixed(try int(csv, "output_len")))))
    traffic.systemPrompts = TrafficClass.SystemPrompts(
      count: try int(csv, "num_system_prompts"), tokens: .fixed(try int(csv, "system_prompt_len")), popularity: .cycle)
    traffic.questions = TrafficClass.RepeatedQuestions(count: try int(csv, "users_per_prompt"), popularity: .cycle)
    let count = stages.reduce(0) { $0 + Int($1.rate * $1.seconds) }
    let arrivals = ArrivalProcess(gaps: .exponential, pace: .stages(.init(list: stages, counts: .exact)))
    var served = ServedRun(
      .traffic(Traffic(name: "stages", arrivals: arrivals, class: traffic, requests: count), count: count))
    served.maxBatchedTokens = try int(csv, "max_num_batched_tokens")
    served.maxSequences = try int(csv, "max_num_seqs")
    served.blocks = try int(csv, "gpu_kv_blocks")
    served.prefixCache = try csv.text(place("prefix_caching")) == "True"
    return served
  }

  /// `2.5x600;6x600`: 2.5 requests a second for 600 seconds, then 6.
  private func stages(_ csv: CSVReader) throws -> [ArrivalProcess.Stages.Stage] {
    let column = place("stages_rate_x_sec")
    let text = try csv.text(column)
    return try text.split(separator: ";").map { part in
      let numbers = part.split(separator: "x").map { Double($0) ?? -1 }
      guard numbers.count == 2, numbers.allSatisfy({ $0 > 0 && $0 <= 1e6 }) else {
        throw csv.error(column, "found \(shown(text)), expected rates and seconds such as 2.5x600;6x600")
      }
      return ArrivalProcess.Stages.Stage(rate: numbers[0], seconds: numbers[1])
    }
  }

  private func formats(_ csv: CSVReader) throws -> FormatRequest {
    let text = try csv.text(place("precision"))
    switch text {
    case "FP8": return FormatRequest(weights: .fp8, activations: .fp8)
    case "FP16", "BF16": return FormatRequest()
    default: throw csv.error(place("precision"), "found \(shown(text)), expected FP8, FP16 or BF16")
    }
  }

  private func int(_ csv: CSVReader, _ name: String) throws -> Int { try csv.int(place(name), in: 1...10_000_000) }

  private func milliseconds(_ csv: CSVReader, _ name: String) throws -> Double {
    try csv.double(place(name), in: 1e-3...1e9) / 1000
  }
}
