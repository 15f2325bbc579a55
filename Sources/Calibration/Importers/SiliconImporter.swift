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
    degrees = try ["tp_size", "pp_size", "attention_dp_size", "moe_tp_size", "moe_ep_size"].map(csv.column)
    ttft = try csv.column("silicon_ttft_ms")
    tpot = try csv.column("silicon_tpot_ms")
  }

  func run(_ csv: CSVReader) throws -> MeasuredRun {
    let degrees = try degrees.map { csv.isEmpty($0) ? 1 : try csv.int($0, in: 1...4096) }
    let plan = Parallelism(tensor: degrees[0], pipeline: degrees[1], expert: degrees[4], data: degrees[2])
    var run = MeasuredRun(
      file: csv.file, line: csv.line, device: try csv.text(system), deviceCount: plan.devices,
      runtime: try runtimeName(csv), model: try csv.text(model),
      batch: BatchCase(
        sequences: try csv.int(concurrency, in: BatchCase.sequenceRange),
        inputTokens: try csv.int(input, in: BatchCase.tokenRange),
        outputTokens: try csv.int(output, in: BatchCase.tokenRange)),
      measured: MetricValues())
    run.load = .closedLoop
    run.parallelism = plan
    run.formats = try formats(csv)
    if !csv.isEmpty(ttft) { run.measured[.firstToken] = try csv.double(ttft, in: 1e-3...1e9) / 1000 }
    if !csv.isEmpty(tpot) { run.measured[.perToken] = try csv.double(tpot, in: 1e-3...1e9) / 1000 }
    if degrees[3] * degrees[4] != degrees[0] * degrees[2], degrees[3] * degrees[4] > 1 {
      run.exclusion =
        "tp \(degrees[0]) x attention dp \(degrees[2]) contradicts expert tp \(degrees[3]) x ep \(degrees[4])"
    }
    return run
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
