import Documents
import Execution

/// Reads llm_inference_bench_power.csv: mean board power in milliwatts of runs whose prompts and answers are as long.
enum PowerImporter {
  static func read(path: String) throws -> [MeasuredRun] {
    let csv = try CSVReader(path: path)
    let device = try csv.column("Hardware")
    let count = try csv.column("Num of Hardware")
    let runtime = try csv.column("Framework")
    let model = try csv.column("Model")
    let length = try csv.column("Input Output Length")
    let batch = try csv.column("Batch Size")
    let power = try csv.column("avg_power")
    var runs: [MeasuredRun] = []
    while try csv.next() {
      let tokens = try csv.int(length, in: BatchCase.tokenRange)
      runs.append(
        MeasuredRun(
          file: path, line: csv.line, device: try csv.text(device), deviceCount: try csv.int(count, in: 1...65_536),
          runtime: try csv.text(runtime), model: try csv.text(model),
          batch: BatchCase(
            sequences: try csv.int(batch, in: BatchCase.sequenceRange), inputTokens: tokens, outputTokens: tokens),
          measured: MetricValues(power: try csv.double(power, in: 1...1e9) / 1000)))
    }
    guard !runs.isEmpty else { throw DataError(file: path, problem: "has a header and no rows") }
    return runs
  }
}
