import CostModels
import Documents
import EventKernel
import Execution
import ModelGraph
import Workloads

/// Reads a log of served requests in JSON lines with the times vLLM notes for each: arrival on the clock of the client,
/// queued, first and last token on that of the engine, in seconds. Every request is a row.
///
/// The clocks are set by the request that was queued soonest after its arrival.
enum VLLMLogImporter {
  /// How the log's requests were served; the log does not say.
  struct Serving {
    var model: String
    var hardware: String
    var runtime: String
    var tensor: Int
    var maxSequences: Int?
    var maxBatchedTokens: Int?

    /// Reads the file that says it.
    init(path: String) throws {
      self = try YAMLDocument.read(path: path).strictObject { file in
        _ = try file.optionalString("notes")
        return try Serving(file)
      }
    }

    private init(_ file: ObjectReader) throws {
      model = try file.string("model")
      hardware = try file.string("hardware")
      runtime = try file.string("runtime")
      tensor = try file.optionalInt("tensor_parallel", in: 1...1024) ?? 1
      maxSequences = try file.optionalInt("max_num_seqs", in: 1...1_000_000)
      maxBatchedTokens = try file.optionalInt("max_num_batched_tokens", in: 1...10_000_000)
    }
  }

  private struct Line {
    var input: Int
    var output: Int
    var arrival: Double
    var queued: Double
    var first: Double
    var last: Double
  }

  static func read(path: String, serving: Serving) throws -> [MeasuredRun] {
    let lines = try TextFile.document(at: path).split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      .filter { !$0.element.allSatisfy(\.isWhitespace) }
      .map { try line(String($0.element), file: path, number: $0.offset + 1) }
    guard let start = lines.map(\.arrival).min(), let lag = lines.map({ $0.queued - $0.arrival }).min() else {
      throw DataError(file: path, problem: "has no request")
    }
    let ordered = lines.enumerated().sorted { ($0.element.arrival, $0.offset) < ($1.element.arrival, $1.offset) }
    let requests = try ordered.map { try request($0.element, start: start, file: path, line: $0.offset + 1) }
    return ordered.enumerated().map { position, item in
      var run = row(item.element, lag: lag, file: path, line: item.offset + 1, serving: serving)
      var served = ServedRun(.logged(requests))
      served.maxSequences = serving.maxSequences
      served.maxBatchedTokens = serving.maxBatchedTokens
      served.position = position
      run.load = .served(served)
      return run
    }
  }

  private static func row(_ line: Line, lag: Double, file: String, line number: Int, serving: Serving) -> MeasuredRun {
    let arrival = line.arrival + lag
    return MeasuredRun(
      file: file, line: number, device: serving.hardware, deviceCount: serving.tensor, runtime: serving.runtime,
      model: serving.model,
      batch: BatchCase(sequences: 1, inputTokens: line.input, outputTokens: line.output),
      measured: MetricValues(
        endToEnd: line.last - arrival, firstToken: line.first - arrival,
        perToken: line.output > 1 ? (line.last - line.first) / Double(line.output - 1) : nil))
  }

  private static func request(_ line: Line, start: Double, file: String, line number: Int) throws -> Request {
    guard let arrival = Instant(seconds: line.arrival - start) else {
      throw DataError(file: file, line: number, field: "arrival_time", problem: "is beyond the clock, 292 years on")
    }
    return Request(arrival: arrival, inputTokens: line.input, outputTokens: line.output)
  }

  private static func line(_ text: String, file: String, number: Int) throws -> Line {
    let object = try JSONDocument.parse(text, file: file, line: number).object()
    func time(_ name: String) throws -> Double { try object.double(name, in: 0...1e12) }
    let line = Line(
      input: try object.int("input_toks", in: BatchCase.tokenRange),
      output: try object.int("output_toks", in: BatchCase.tokenRange), arrival: try time("arrival_time"),
      queued: try time("queued_ts"), first: try time("first_token_ts"), last: try time("last_token_ts"))
    guard line.queued < line.first, line.first <= line.last else {
      throw DataError(
        file: file, line: number, problem: "expected queued_ts, first_token_ts and last_token_ts in this order")
    }
    return line
  }
}
