import Documents

/// Opens recorded traffic, whichever of the known formats it is in.
///
/// The content decides, not the file's name: JSON lines are recognised by their keys, a CSV by its header.
package enum TraceReader {
  /// Opens a trace.
  /// - Parameters:
  ///   - timeScale: Factor on every arrival time: 0.5 doubles the request rate.
  ///   - limit: Stop after this many requests.
  /// - Throws: `DataError` when the file cannot be read or has no known header. Faults of later lines are thrown when
  ///   they are reached.
  package static func open(path: String, timeScale: Double = 1, limit: Int? = nil) throws -> any RequestSource {
    try open(
      Input(file: path, bytes: { try ByteSource(path: path) }, csv: { try CSVReader(path: path) }),
      TraceClock(timeScale: timeScale, limit: limit))
  }

  /// Opens a trace that is already in memory.
  package static func open(bytes: [UInt8], file: String, timeScale: Double = 1, limit: Int? = nil) throws
    -> any RequestSource
  {
    try open(
      Input(file: file, bytes: { ByteSource(bytes: bytes) }, csv: { try CSVReader(bytes: bytes, file: file) }),
      TraceClock(timeScale: timeScale, limit: limit))
  }

  private struct Input {
    let file: String
    let bytes: () throws -> ByteSource
    let csv: () throws -> CSVReader
  }

  private static func open(_ input: Input, _ clock: TraceClock) throws -> any RequestSource {
    switch try firstMark(input.bytes()) {
    case UInt8(ascii: "{"):
      var lines = JSONLines(source: try input.bytes(), file: input.file)
      if let first = try lines.next(), VLLMTrace.isLike(first) {
        return VLLMTrace(source: try input.bytes(), file: input.file, clock: clock)
      }
      return MooncakeTrace(source: try input.bytes(), file: input.file, clock: clock)
    case UInt8(ascii: "["):
      throw DataError(
        file: input.file,
        problem:
          "is a JSON list, expected one JSON object a line; conversations (ShareGPT) have no arrival times: name "
          + "the file in a traffic file under 'conversations'")
    default: return try openCSV(input, clock)
    }
  }

  private static func openCSV(_ input: Input, _ clock: TraceClock) throws -> any RequestSource {
    let csv = try input.csv()
    guard let layout = CSVTrace.Layout.allCases.first(where: { $0.matches(csv.header) }) else {
      throw DataError(
        file: input.file, line: 1,
        problem: "is no known trace: the first line is \(shown(csv.header.joined(separator: ","))), expected \(formats)"
      )
    }
    return try CSVTrace(csv, layout: layout, clock: clock, again: input.csv)
  }

  /// The first byte that is not space.
  private static func firstMark(_ source: ByteSource) -> UInt8? {
    source.skipByteOrderMark()
    while let byte = source.peek(), JSONScanner.isSpace(byte) || byte == UInt8(ascii: "\n") { source.skip() }
    return source.peek()
  }

  /// The formats understood, for messages and help.
  package static let formats =
    CSVTrace.Layout.allCases.map { "'\($0.columns.joined(separator: ","))' (\($0.title))" }.joined(separator: ", ")
    + ", or JSON lines with timestamp, input_length, output_length, hash_ids (Mooncake) or arrival_time, input_toks, "
    + "output_toks (vLLM)"
}
