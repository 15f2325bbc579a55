import CostModels
import Documents
import Execution
import ModelGraph
import Quantities

/// Reads the silicon sample of aiconfigurator: served TPOT and TTFT (milliseconds) of a closed loop of `conc` clients.
///
/// `batch_size` is of one rank; TTFT includes queueing. Rows whose degrees contradict each other are excluded.
enum SiliconImporter {
  static func read(path: String) throws -> [MeasuredRun] {
    let csv = try CSVReader(path: path)
    let columns = try SiliconColumns(csv)
    var runs: [MeasuredRun] = []
    while try csv.next() { runs.append(try columns.run(csv)) }
    guard !runs.isEmpty else { throw DataError(file: path, problem: "has a header and no rows") }
    return runs
  }
}

/// The degrees of a row. Some rows of one node of eight devices count the ways experts are spread over twice: tp 64 with
/// expert tp 8 and ep 8 is tp 8 and ep 8. They are divided by it once.
private struct SiliconPlan {
  let parallelism: Parallelism
  let contradiction: String?

  init(tensor: Int, pipeline: Int, data: Int, expertTensor: Int, expert: Int) {
    let ranks = tensor * data
    let twice = ranks > 8 && expert > 1 && ranks == expertTensor * expert
    parallelism = Parallelism(
      tensor: twice && tensor > 1 ? tensor / expert : tensor, pipeline: pipeline, expert: expert,
      data: twice && tensor == 1 ? data / expert : data)
    let experts = expertTensor * expert
    contradiction =
      experts > 1 && experts != ranks
      ? "tp \(tensor) x attention dp \(data) contradicts expert tp \(expertTensor) x ep \(expert)" : nil
  }
}

private struct SiliconColumns {
  let backend: Int
  let model: Int
  let system: Int
  let precision: Int
  let gemm: Int
  let experts: Int
  let input: Int
  let output: Int
  let concurrency: Int
  let batch: Int
  let degrees: [Int]
  let ttft: Int
  let tpot: Int

  init(_ csv: CSVReader) throws {
    backend = try csv.column("backend")
    model = try csv.column("model_path")
    system = try csv.column("system")
    precision = try csv.column("precision")
    gemm = try csv.column("gemm_quant_mode")
    experts = try csv.column("moe_quant_mode")
    input = try csv.column("isl")
    output = try csv.column("osl")
    concurrency = try csv.column("conc")
    batch = try csv.column("batch_size")
    degrees = try ["tp_size", "pp_size", "attention_dp_size", "moe_tp_size", "moe_ep_size"].map(csv.column)
    ttft = try csv.column("silicon_ttft_ms")
    tpot = try csv.column("silicon_tpot_ms")
  }

  func run(_ csv: CSVReader) throws -> MeasuredRun {
    let degrees = try degrees.map { csv.isEmpty($0) ? 1 : try csv.int($0, in: 1...4096) }
    let plan = SiliconPlan(
      tensor: degrees[0], pipeline: degrees[1], data: degrees[2], expertTensor: degrees[3], expert: degrees[4])
    let load = try clients(csv, replicas: plan.parallelism.data)
    var run = MeasuredRun(
      file: csv.file, line: csv.line, device: try csv.text(system), deviceCount: plan.parallelism.devices,
      runtime: try runtimeName(csv), model: try csv.text(model),
      batch: BatchCase(
        sequences: load, inputTokens: try csv.int(input, in: BatchCase.tokenRange),
        outputTokens: try csv.int(output, in: BatchCase.tokenRange)),
      measured: MetricValues())
    run.load = .closedLoop
    run.parallelism = plan.parallelism
    run.formats = try formats(csv)
    if !csv.isEmpty(ttft) { run.measured[.firstToken] = try csv.double(ttft, in: 1e-3...1e9) / 1000 }
    if !csv.isEmpty(tpot) { run.measured[.perToken] = try csv.double(tpot, in: 1e-3...1e9) / 1000 }
    run.exclusion = plan.contradiction
    return run
  }

  /// Requests under way; where the file does not say, those of every rank's batch.
  private func clients(_ csv: CSVReader, replicas: Int) throws -> Int {
    guard csv.isEmpty(concurrency) else { return try csv.int(concurrency, in: BatchCase.sequenceRange) }
    return try csv.int(batch, in: BatchCase.sequenceRange) * replicas
  }

  /// Backends of 2025 are not those the plain names mean in data of 2024.
  private func runtimeName(_ csv: CSVReader) throws -> String {
    let text = try csv.text(backend)
    return ["vllm": "vllm-v1", "trtllm": "tensorrt-llm-v1"][text] ?? text
  }

  /// `fp8_block` is fp8 with scales by block; nvfp4 multiplies in fp4.
  private func formats(_ csv: CSVReader) throws -> FormatRequest {
    let text = csv.isEmpty(gemm) ? try csv.text(precision) : try csv.text(gemm)
    switch text {
    case "fp8", "fp8_block": return FormatRequest(weights: .fp8, activations: .fp8)
    case "nvfp4", "fp4": return FormatRequest(weights: .nvfp4, activations: .nvfp4)
    case "bf16", "bfloat16", "fp16", "float16": return FormatRequest(weights: .bf16, activations: .bf16)
    case "": return FormatRequest()
    default:
      throw csv.error(gemm, "found \(shown(text)), expected fp8, fp8_block, nvfp4 or bfloat16")
    }
  }
}
