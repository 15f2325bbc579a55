import CostModels
import Documents
import Execution

/// Reads llm_inference_bench_ttft.csv: seconds until a batch has its first tokens, by asking for one token.
enum FirstTokenImporter {
  static let mark = "TTFT Latency"

  static func read(path: String) throws -> [MeasuredRun] {
    let csv = try CSVReader(path: path)
    let device = try csv.column("Hardware")
    let count = try csv.column("Num of Hardware")
    let runtime = try csv.column("Framework")
    let model = try csv.column("Model")
    let input = try csv.column("Input Length")
    let batch = try csv.column("Batch Size")
    let latency = try csv.column(mark)
    var runs: [MeasuredRun] = []
    while try csv.next() {
      runs.append(
        MeasuredRun(
          file: path, line: csv.line, device: try csv.text(device), deviceCount: try csv.int(count, in: 1...65_536),
          runtime: try csv.text(runtime), model: try csv.text(model),
          batch: BatchCase(
            sequences: try csv.int(batch, in: BatchCase.sequenceRange),
            inputTokens: try csv.int(input, in: BatchCase.tokenRange), outputTokens: 1),
          measured: MetricValues(firstToken: try csv.double(latency, in: 1e-6...1e6))))
    }
    guard !runs.isEmpty else { throw DataError(file: path, problem: "has a header and no rows") }
    return runs
  }
}
