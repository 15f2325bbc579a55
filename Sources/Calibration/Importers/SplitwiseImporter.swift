import Documents
import Execution
import ModelGraph
import Statistics

/// Reads the measurements of splitwise-sim: prompt and token times in milliseconds, several repeats a shape, which are
/// merged to their median.
///
/// They were taken with vLLM of 2023 on A100 and H100 80 GB, in half precision; the file does not name the runtime.
enum SplitwiseImporter {
  static let runtime = "vllm-2023"

  private struct Shape: Hashable {
    var model: String
    var device: String
    var tensor: Int
    var batch: BatchCase
  }

  private struct Repeats {
    var line: Int
    var prompt: [Double] = []
    var token: [Double] = []
  }

  static func read(path: String) throws -> [MeasuredRun] {
    let csv = try CSVReader(path: path)
    let columns = try ["model", "hardware", "prompt_size", "batch_size", "token_size", "tensor_parallel"]
      .map(csv.column)
    let prompt = try csv.column("prompt_time")
    let token = try csv.column("token_time")
    var order: [Shape] = []
    var repeats: [Shape: Repeats] = [:]
    while try csv.next() {
      let shape = Shape(
        model: try csv.text(columns[0]), device: try csv.text(columns[1]),
        tensor: try csv.int(columns[5], in: 1...1024),
        batch: BatchCase(
          sequences: try csv.int(columns[3], in: BatchCase.sequenceRange),
          inputTokens: try csv.int(columns[2], in: BatchCase.tokenRange),
          outputTokens: try csv.int(columns[4], in: BatchCase.tokenRange)))
      if repeats[shape] == nil {
        order.append(shape)
        repeats[shape] = Repeats(line: csv.line)
      }
      repeats[shape]?.prompt.append(try csv.double(prompt, in: 1e-3...1e9) / 1000)
      repeats[shape]?.token.append(try csv.double(token, in: 1e-3...1e9) / 1000)
    }
    guard !order.isEmpty else { throw DataError(file: path, problem: "has a header and no rows") }
    return markImpossible(order.compactMap { shape in repeats[shape].map { run(shape, $0, path) } })
  }

  private static func run(_ shape: Shape, _ repeats: Repeats, _ path: String) -> MeasuredRun {
    var run = MeasuredRun(
      file: path, line: repeats.line, device: shape.device, deviceCount: shape.tensor, runtime: runtime,
      model: shape.model, batch: shape.batch,
      measured: MetricValues(
        firstToken: Quantile.median(repeats.prompt), perToken: Quantile.median(repeats.token)))
    run.formats = FormatRequest(weights: .fp16, activations: .fp16, kv: .fp16)
    return run
  }

  /// A prompt time below half of that of a smaller batch of the same prompts is a fault of the record, whatever caused
  /// it: more work on the same machine does not take less.
  private static func markImpossible(_ runs: [MeasuredRun]) -> [MeasuredRun] {
    runs.map { run in
      var run = run
      let smaller = runs.filter {
        $0.device == run.device && $0.deviceCount == run.deviceCount && $0.model == run.model
          && $0.batch.inputTokens == run.batch.inputTokens && $0.batch.sequences < run.batch.sequences
      }
      if let slowest = smaller.compactMap({ $0.measured[.firstToken] }).max(),
        let own = run.measured[.firstToken], own < slowest / 2
      {
        run.measured[.firstToken] = nil
      }
      return run
    }
  }
}
