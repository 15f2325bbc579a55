import Documents
import EventKernel

/// A log of served requests in JSON lines, as benchmarks of vLLM write it: one object a line.
///
/// ```json
/// {"request_id": "bench-0", "input_toks": 2358, "output_toks": 531, "arrival_time": 1777142838.338653}
/// ```
///
/// `arrival_time` is in seconds of any clock; arrivals count from the first line. Other keys are skipped.
struct VLLMTrace: RequestSource {
  private var lines: JSONLines
  private var clock: TraceClock
  private var start: Int64?

  var count: Int? { nil }

  init(source: ByteSource, file: String, clock: TraceClock) {
    lines = JSONLines(source: source, file: file)
    self.clock = clock
  }

  /// Whether a line has the keys of this format.
  static func isLike(_ line: [UInt8]) -> Bool {
    let text = String(decoding: line, as: UTF8.self)
    return Key.allCases.contains { text.contains("\"\($0.rawValue)\"") }
  }

  private enum Key: String, CaseIterable {
    case input = "input_toks"
    case output = "output_toks"
    case arrival = "arrival_time"
  }

  mutating func next() throws -> Request? {
    guard !clock.isFinished else { return nil }
    guard let text = try lines.next() else {
      guard clock.count > 0 else { throw DataError(file: lines.file, problem: "has no request") }
      return nil
    }
    let record = try record(text)
    let first = start ?? record.nanoseconds
    start = first
    do {
      return Request(
        arrival: try clock.arrival(at: record.nanoseconds - first), inputTokens: record.input,
        outputTokens: record.output)
    } catch {
      throw lines.error(Key.arrival.rawValue, error.problem)
    }
  }

  private func record(_ text: [UInt8]) throws -> (nanoseconds: Int64, input: Int, output: Int) {
    var scanner = JSONScanner(text)
    var field: String?
    var values: (nanoseconds: Int64?, input: Int?, output: Int?)
    do throws(JSONScanner.Fault) {
      try scanner.object(&field) { (name, scanner) throws(JSONScanner.Fault) in
        switch Key(rawValue: name) {
        case .input?: values.input = try Self.once(values.input, try scanner.int(in: 1...Request.largestTokens))
        case .output?: values.output = try Self.once(values.output, try scanner.int(in: 1...Request.largestTokens))
        case .arrival?: values.nanoseconds = try Self.once(values.nanoseconds, try scanner.nanoseconds())
        case nil: try scanner.skipValue()
        }
      }
    } catch {
      throw lines.error(field, error.problem)
    }
    guard let nanoseconds = values.nanoseconds else { throw missing(.arrival) }
    guard let input = values.input else { throw missing(.input) }
    guard let output = values.output else { throw missing(.output) }
    return (nanoseconds, input, output)
  }

  private static func once<Value>(_ known: Value?, _ new: Value) throws(JSONScanner.Fault) -> Value {
    guard known == nil else { throw JSONScanner.Fault(problem: "appears twice") }
    return new
  }

  private func missing(_ key: Key) -> DataError { lines.error(nil, "'\(key.rawValue)' is missing") }
}
