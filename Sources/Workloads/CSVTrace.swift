import Documents
import EventKernel

/// A trace in a CSV file with one row a request: arrival, input tokens, output tokens. Further columns are ignored.
struct CSVTrace: RequestSource {
  /// The headers understood.
  enum Layout: CaseIterable {
    case azure
    case plain
    case vidur

    /// Columns for arrival, input tokens and output tokens.
    var columns: [String] {
      switch self {
      case .azure: ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]
      case .plain: ["arrival_s", "input_tokens", "output_tokens"]
      case .vidur: ["arrived_at", "num_prefill_tokens", "num_decode_tokens"]
      }
    }

    var title: String {
      switch self {
      case .azure: "Azure LLM inference"
      case .plain: "Ridgeline's own"
      case .vidur: "Vidur's"
      }
    }

    func matches(_ header: [String]) -> Bool { columns.allSatisfy(header.contains) }
  }

  private let csv: CSVReader
  private let layout: Layout
  private let columns: (arrival: Int, input: Int, output: Int)
  private var clock: TraceClock
  /// The first row's date, which later rows count from.
  private var start: Int64?

  var count: Int? { nil }

  init(_ csv: CSVReader, layout: Layout, clock: TraceClock) throws {
    self.csv = csv
    self.layout = layout
    self.clock = clock
    let names = layout.columns
    columns = (try csv.column(names[0]), try csv.column(names[1]), try csv.column(names[2]))
  }

  mutating func next() throws -> Request? {
    guard !clock.isFinished else { return nil }
    guard try csv.next() else {
      guard clock.count > 0 else {
        throw DataError(file: csv.file, problem: "has a header and no rows, expected at least one request")
      }
      return nil
    }
    return Request(
      arrival: try arrival(),
      inputTokens: try csv.int(columns.input, in: 1...Request.largestTokens),
      outputTokens: try csv.int(columns.output, in: 1...Request.largestTokens))
  }

  private mutating func arrival() throws -> Instant {
    let time = try layout == .azure ? sinceFirstRow() : sinceStart()
    do {
      return try clock.arrival(at: time)
    } catch {
      throw csv.error(columns.arrival, error.problem)
    }
  }

  private func sinceStart() throws -> Int64 {
    let seconds = try csv.double(columns.arrival, in: 0...9e9)
    guard let instant = Instant(seconds: seconds) else {
      throw csv.error(columns.arrival, TraceClock.Fault.beyondClock.problem)
    }
    return instant.nanoseconds
  }

  private mutating func sinceFirstRow() throws -> Int64 {
    guard let date = csv.withBytes(columns.arrival, CalendarTime.nanoseconds) else {
      let found = shown(try csv.text(columns.arrival))
      throw csv.error(columns.arrival, "found \(found), expected a date such as '2023-11-16 18:15:46.6805900'")
    }
    let first = start ?? date
    start = first
    return date - first
  }
}
