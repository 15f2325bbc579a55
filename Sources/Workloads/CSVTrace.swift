import Documents
import EventKernel

/// A trace in a CSV file with one row a request: arrival, input tokens, output tokens. Columns nobody knows are
/// ignored.
struct CSVTrace: RequestSource {
  /// The headers understood.
  enum Layout: CaseIterable {
    case azure
    case burstGPT
    case plain
    case vidur

    /// Columns for arrival, input tokens and output tokens.
    var columns: [String] {
      switch self {
      case .azure: ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]
      case .burstGPT: ["Timestamp", "Request tokens", "Response tokens"]
      case .plain: ["arrival_s", "input_tokens", "output_tokens"]
      case .vidur: ["arrived_at", "num_prefill_tokens", "num_decode_tokens"]
      }
    }

    var title: String {
      switch self {
      case .azure: "Azure LLM inference"
      case .burstGPT: "BurstGPT"
      case .plain: "Ridgeline's own"
      case .vidur: "Vidur's"
      }
    }

    /// Whether times count from the first row's: dates do, and seconds of a clock that began long before.
    var countsFromFirstRow: Bool { self == .azure || self == .burstGPT }

    func matches(_ header: [String]) -> Bool { columns.allSatisfy(header.contains) }
  }

  /// Columns that a plain trace may have besides.
  private struct Extras {
    var session: Int?
    var adapter: Int?
    var samples: Int?
    var patience: Int?

    init(_ csv: CSVReader, layout: Layout) {
      guard layout == .plain else { return }
      session = csv.header.firstIndex(of: "session")
      adapter = csv.header.firstIndex(of: "adapter")
      samples = csv.header.firstIndex(of: "samples")
      patience = csv.header.firstIndex(of: "patience_s")
    }
  }

  private let csv: CSVReader
  private let layout: Layout
  private let columns: (arrival: Int, input: Int, output: Int)
  private let extras: Extras
  private let described: TraceClasses?
  private var clock: TraceClock
  /// The first row's time, which later rows count from.
  private var start: Int64?

  var count: Int? { nil }
  var classes: [RequestClass] { described?.list ?? [.standard] }

  /// - Parameter again: Opens the file once more, to collect its classes.
  init(_ csv: CSVReader, layout: Layout, clock: TraceClock, again: () throws -> CSVReader) throws {
    self.csv = csv
    self.layout = layout
    self.clock = clock
    let names = layout.columns
    columns = (try csv.column(names[0]), try csv.column(names[1]), try csv.column(names[2]))
    extras = Extras(csv, layout: layout)
    var classes = TraceClasses(csv, layout: layout)
    try classes?.collect(again())
    described = classes.flatMap { $0.list.isEmpty ? nil : $0 }
  }

  mutating func next() throws -> Request? {
    guard !clock.isFinished else { return nil }
    guard try csv.next() else {
      guard clock.count > 0 else {
        throw DataError(file: csv.file, problem: "has a header and no rows, expected at least one request")
      }
      return nil
    }
    var request = Request(arrival: try arrival(), inputTokens: try input(), outputTokens: try output())
    if let described { request.classIndex = try described.index(csv) }
    try readExtras(&request)
    return request
  }

  private func input() throws -> Int { try csv.int(columns.input, in: 1...Request.largestTokens) }

  private func output() throws -> Int {
    let tokens = try csv.int(columns.output, in: 0...Request.largestTokens)
    guard tokens == 0 else { return tokens }
    if layout == .burstGPT {
      throw csv.error(columns.output, "found 0, a failed request; the release has files 'without_fails'")
    }
    return try csv.int(columns.output, in: 1...Request.largestTokens)
  }

  private func readExtras(_ request: inout Request) throws {
    if let column = extras.session, !csv.isEmpty(column) {
      request.session = Int32(try csv.int(column, in: 0...Int(Int32.max)))
    }
    if let column = extras.adapter, !csv.isEmpty(column) {
      request.adapter = UInt16(try csv.int(column, in: 0...Int(UInt16.max) - 1))
    }
    if let column = extras.samples, !csv.isEmpty(column) {
      request.samples = UInt16(try csv.int(column, in: 1...Int(UInt16.max)))
    }
    if let column = extras.patience, !csv.isEmpty(column) {
      request.patience = Int64((try csv.double(column, in: 0...9e9) * 1e9).rounded())
    }
  }

  // MARK: Arrivals

  private mutating func arrival() throws -> Instant {
    let time = try layout == .azure ? date() : seconds()
    let first = start ?? (layout.countsFromFirstRow ? time : 0)
    start = first
    do {
      return try clock.arrival(at: time - first)
    } catch {
      throw csv.error(columns.arrival, error.problem)
    }
  }

  private func seconds() throws -> Int64 {
    let seconds = try csv.double(columns.arrival, in: 0...9e9)
    guard let instant = Instant(seconds: seconds) else {
      throw csv.error(columns.arrival, TraceClock.Fault.beyondClock.problem)
    }
    return instant.nanoseconds
  }

  private func date() throws -> Int64 {
    guard let date = csv.withBytes(columns.arrival, CalendarTime.nanoseconds) else {
      let found = shown(try csv.text(columns.arrival))
      throw csv.error(columns.arrival, "found \(found), expected a date such as '2023-11-16 18:15:46.6805900'")
    }
    return date
  }
}
