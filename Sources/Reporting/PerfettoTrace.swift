/// Writes a timeline in the trace-event JSON format, which Perfetto (ui.perfetto.dev) and Chrome open.
///
/// Events go out as they come; the writer keeps at most one chunk of bytes. Times are whole nanoseconds and are written
/// as microseconds with three decimals, so none is lost. After ``finish()`` the file is whole, wherever the run stopped.
///
/// ```swift
/// var trace = PerfettoTrace { try file.write($0) }
/// try trace.nameProcess(1, "replica 0")
/// try trace.complete("decode", on: .init(process: 1, thread: 2), from: 1_000, lasting: 250)
/// try trace.finish()
/// ```
///
/// Format: "Trace Event Format", N. Duca and D. Sinclair, Google, 2016.
package struct PerfettoTrace {
  /// Where an event is drawn.
  package struct Track: Sendable, Equatable {
    package var process: Int
    package var thread: Int

    package init(process: Int, thread: Int) {
      self.process = process
      self.thread = thread
    }
  }

  /// What is shown with an event when it is chosen.
  package enum Argument: Sendable, Equatable {
    case int(Int)
    /// Written as null when it is not finite, which JSON cannot say.
    case number(Double)
    case text(String)
  }

  package typealias Arguments = KeyValuePairs<String, Argument>

  private let sink: ([UInt8]) throws -> Void
  private var buffer: [UInt8] = []
  private var events = 0
  private var finished = false
  private static let chunk = 1 << 16

  /// - Parameter sink: Receives the bytes in order, in chunks of about 64 KiB; what it throws, the calls below throw.
  package init(to sink: @escaping ([UInt8]) throws -> Void) {
    self.sink = sink
    buffer.reserveCapacity(Self.chunk + 1024)
    append("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[")
  }

  // MARK: Names

  package mutating func nameProcess(_ process: Int, _ name: String) throws {
    try metadata("process_name", Track(process: process, thread: 0), ["name": .text(name)])
  }

  package mutating func nameThread(_ track: Track, _ name: String) throws {
    try metadata("thread_name", track, ["name": .text(name)])
  }

  /// Where a process stands from top to bottom.
  package mutating func sortProcess(_ process: Int, at place: Int) throws {
    try metadata("process_sort_index", Track(process: process, thread: 0), ["sort_index": .int(place)])
  }

  package mutating func sortThread(_ track: Track, at place: Int) throws {
    try metadata("thread_sort_index", track, ["sort_index": .int(place)])
  }

  private mutating func metadata(_ name: String, _ track: Track, _ arguments: Arguments) throws {
    try write("M", name, track, arguments: arguments)
  }

  // MARK: Events

  /// Something that took a while on one track.
  /// - Parameters:
  ///   - start: Nanoseconds.
  ///   - duration: Nanoseconds, zero or more.
  package mutating func complete(
    _ name: String, on track: Track, from start: Int64, lasting duration: Int64, _ arguments: Arguments = [:]
  ) throws {
    precondition(duration >= 0, "an event cannot end before it begins")
    try write("X", name, track, at: start, arguments: arguments) { $0.field("dur", time: duration) }
  }

  /// A moment on one track.
  package mutating func instant(
    _ name: String, on track: Track, at time: Int64, _ arguments: Arguments = [:]
  ) throws {
    try write("i", name, track, at: time, arguments: arguments) { $0.append(",\"s\":\"t\"") }
  }

  /// Values from a moment on, drawn as a graph of their process; several are stacked.
  package mutating func counter(
    _ name: String, process: Int, at time: Int64, _ values: Arguments
  ) throws {
    try write("C", name, Track(process: process, thread: 0), at: time, arguments: values)
  }

  /// The beginning of something that may lie across tracks and overlap its like, such as a request.
  /// - Parameters:
  ///   - category: With the id, what tells it from others; the end must say the same.
  package mutating func beginAsync(
    _ name: String, category: String, id: Int, on track: Track, at time: Int64, _ arguments: Arguments = [:]
  ) throws {
    try write("b", name, track, at: time, arguments: arguments) { $0.identify(category, id) }
  }

  package mutating func endAsync(
    _ name: String, category: String, id: Int, on track: Track, at time: Int64, _ arguments: Arguments = [:]
  ) throws {
    try write("e", name, track, at: time, arguments: arguments) { $0.identify(category, id) }
  }

  /// An arrow's beginning, inside the complete event that encloses the time on this track.
  package mutating func beginFlow(_ name: String, category: String, id: Int, on track: Track, at time: Int64) throws {
    try write("s", name, track, at: time, arguments: [:]) { $0.identify(category, id) }
  }

  /// The arrow's end, bound likewise to the event that encloses it.
  package mutating func endFlow(_ name: String, category: String, id: Int, on track: Track, at time: Int64) throws {
    try write("f", name, track, at: time, arguments: [:]) {
      $0.identify(category, id)
      $0.append(",\"bp\":\"e\"")
    }
  }

  /// Closes the file. Calls after it do nothing.
  package mutating func finish() throws {
    guard !finished else { return }
    append("\n]}\n")
    finished = true
    try flush()
  }

  // MARK: Bytes

  private mutating func write(
    _ phase: String, _ name: String, _ track: Track, at time: Int64? = nil, arguments: Arguments,
    _ more: (inout PerfettoTrace) -> Void = { _ in }
  ) throws {
    guard !finished else { return }
    append(events == 0 ? "\n{\"ph\":\"" : ",\n{\"ph\":\"")
    events += 1
    append(phase + "\",\"name\":")
    append(jsonText(name))
    append(",\"pid\":\(track.process),\"tid\":\(track.thread)")
    if let time { field("ts", time: time) }
    more(&self)
    if !arguments.isEmpty { append(arguments) }
    append("}")
    if buffer.count >= Self.chunk { try flush() }
  }

  /// Hands the sink all bytes so far. The file still lacks its end.
  private mutating func flush() throws {
    guard !buffer.isEmpty else { return }
    try sink(buffer)
    buffer.removeAll(keepingCapacity: true)
  }

  private mutating func identify(_ category: String, _ id: Int) {
    append(",\"cat\":" + jsonText(category) + ",\"id\":\(id)")
  }

  private mutating func append(_ arguments: Arguments) {
    var separator = ",\"args\":{"
    for (name, value) in arguments {
      append(separator + jsonText(name) + ":" + value.json)
      separator = ","
    }
    append("}")
  }

  /// A time in microseconds, to the nanosecond.
  private mutating func field(_ name: String, time nanoseconds: Int64) {
    let size = nanoseconds.magnitude
    let fraction = String(size % 1000)
    append(",\"\(name)\":" + (nanoseconds < 0 ? "-" : "") + String(size / 1000) + ".")
    append(String(repeating: "0", count: 3 - fraction.count) + fraction)
  }

  private mutating func append(_ text: String) { buffer.append(contentsOf: text.utf8) }
}

extension PerfettoTrace.Argument {
  fileprivate var json: String {
    switch self {
    case .int(let number): String(number)
    case .number(let number): number.isFinite ? "\(number)" : "null"
    case .text(let text): jsonText(text)
    }
  }
}
