import Documents
import EventKernel

/// A trace in Mooncake's JSON lines (FAST'25 release): one object a line.
///
/// ```json
/// {"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47, 2]}
/// ```
///
/// `timestamp` is in milliseconds since the trace began. `hash_ids` names the prompt's blocks of 512 tokens, one for
/// every block begun; it may be absent. Other keys are refused: relatives of this format that have them also use
/// other blocks and units, and would be misread.
struct MooncakeTrace: RequestSource {
  static let blockTokens = 512
  private static let nanosecondsPerMillisecond: Int64 = 1_000_000

  private var lines: JSONLines
  private var trie = BlockTrie(blockTokens: blockTokens)
  private var clock: TraceClock
  /// Requests that have not ended.
  private var live = 0
  private var isFinished = false

  var count: Int? { nil }
  var forest: PrefixForest? { trie.forest }

  init(source: ByteSource, file: String, clock: TraceClock) {
    lines = JSONLines(source: source, file: file)
    self.clock = clock
  }

  mutating func next() throws -> Request? {
    guard let request = try nextRequest() else {
      isFinished = true
      releaseIfDone()
      return nil
    }
    live += 1
    return request
  }

  mutating func followUp(after request: Request, endedAt: Instant, completed: Bool) -> Request? {
    live -= 1
    releaseIfDone()
    return nil
  }

  private mutating func releaseIfDone() {
    if isFinished, live == 0 { trie.release() }
  }

  private mutating func nextRequest() throws -> Request? {
    guard !clock.isFinished else { return nil }
    if let text = try lines.next() { return try request(Record(text, lines)) }
    guard clock.count > 0 else { throw DataError(file: lines.file, problem: "has no request") }
    return nil
  }

  private mutating func request(_ record: Record) throws -> Request {
    do {
      let arrival = try clock.arrival(at: Int64(record.milliseconds) * Self.nanosecondsPerMillisecond)
      var request = Request(arrival: arrival, inputTokens: record.inputTokens, outputTokens: record.outputTokens)
      request.prompt = try prompt(record)
      return request
    } catch let fault as TraceClock.Fault {
      throw lines.error("timestamp", fault.problem)
    }
  }

  /// Every block of the prompt is on a stream, so all its tokens are.
  private mutating func prompt(_ record: Record) throws -> PromptIdentity {
    guard !record.blocks.isEmpty else { return .unique }
    guard let stream = trie.stream(of: record.blocks) else {
      throw lines.error("hash_ids", "is one block too many: a trace has at most 2 G distinct blocks")
    }
    return PromptIdentity(stream: stream, tokens: Int32(record.inputTokens))
  }
}

extension MooncakeTrace {
  /// The values of one line.
  private struct Record {
    private enum Key: String, CaseIterable {
      case timestamp
      case inputLength = "input_length"
      case outputLength = "output_length"
      case hashes = "hash_ids"
    }

    /// About 285 years, so that the nanoseconds fit the clock.
    private static let latest = 9_000_000_000_000

    var milliseconds = 0
    var inputTokens = 0
    var outputTokens = 0
    var blocks: ContiguousArray<Int32> = []

    init(_ text: [UInt8], _ lines: JSONLines) throws {
      var scanner = JSONScanner(text)
      var field: String?
      do throws(JSONScanner.Fault) {
        try read(&scanner, &field)
      } catch {
        throw lines.error(field, error.problem)
      }
    }

    private mutating func read(_ scanner: inout JSONScanner, _ field: inout String?) throws(JSONScanner.Fault) {
      var missing = Set(Key.allCases)
      try scanner.object(&field) { (name, scanner) throws(JSONScanner.Fault) in
        guard let key = Key(rawValue: name) else {
          throw JSONScanner.Fault(problem: "unknown key, expected \(Self.keys)")
        }
        guard missing.remove(key) != nil else { throw JSONScanner.Fault(problem: "appears twice") }
        try read(key, &scanner)
      }
      try check(missing, &field)
    }

    private mutating func read(_ key: Key, _ scanner: inout JSONScanner) throws(JSONScanner.Fault) {
      switch key {
      case .timestamp: milliseconds = try scanner.int(in: 0...Self.latest)
      case .inputLength: inputTokens = try scanner.int(in: 1...Request.largestTokens)
      case .outputLength: outputTokens = try scanner.int(in: 1...Request.largestTokens)
      case .hashes:
        try scanner.expect("[")
        guard !scanner.skip("]") else { return }
        repeat { blocks.append(Int32(try scanner.int(in: 0...Int(Int32.max)))) } while scanner.skip(",")
        try scanner.expect("]")
      }
    }

    private func check(_ missing: Set<Key>, _ field: inout String?) throws(JSONScanner.Fault) {
      for key in Key.allCases where missing.contains(key) && key != .hashes {
        throw JSONScanner.Fault(problem: "'\(key.rawValue)' is missing")
      }
      let expected = (inputTokens + MooncakeTrace.blockTokens - 1) / MooncakeTrace.blockTokens
      guard missing.contains(.hashes) || blocks.count == expected else {
        field = Key.hashes.rawValue
        throw JSONScanner.Fault(
          problem: "has \(blocks.count) blocks for \(inputTokens) tokens, expected \(expected) of "
            + "\(MooncakeTrace.blockTokens) tokens")
      }
    }

    private static let keys = Key.allCases.map(\.rawValue).joined(separator: ", ")
  }
}
