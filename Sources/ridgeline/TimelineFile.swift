import Documents
import Reporting
import Serving
import Workloads

/// A replay as a timeline that Perfetto (ui.perfetto.dev) opens: steps and counters of every replica, and requests as
/// they waited, were prefilled and decoded.
final class TimelineFile {
  /// What is drawn, in nanoseconds: whatever touches it.
  let window: Range<Int64>
  private let file: OutputFile
  private var trace: PerfettoTrace
  private let classes: [RequestClass]
  private var named: Set<Int> = []
  private(set) var events = 0
  /// Whether events were left out because there were too many.
  private(set) var isCut = false

  /// Perfetto opens files of a few hundred megabytes; an event takes about 150 bytes.
  static let mostEvents = 1_000_000
  private static let requests = 1
  private static let firstReplica = 10

  init(path: String, window: Range<Int64>, classes: [RequestClass]) throws {
    let file = try OutputFile(path: path)
    self.file = file
    self.window = window
    self.classes = classes
    trace = PerfettoTrace { bytes in try file.write(String(decoding: bytes, as: UTF8.self)) }
    try trace.nameProcess(Self.requests, "requests")
    try trace.sortProcess(Self.requests, at: Self.requests)
  }

  // MARK: Steps

  func write(_ step: StepReport) throws {
    guard step.end > window.lowerBound, step.start < window.upperBound, take(4) else { return }
    let process = Self.firstReplica + step.replica
    if named.insert(process).inserted {
      try trace.nameProcess(process, "replica \(step.replica)")
      try trace.sortProcess(process, at: process)
    }
    try trace.complete(
      name(step), on: .init(process: process, thread: 1 + (step.microBatch ?? 0)), from: step.start,
      lasting: step.end - step.start,
      [
        "steps": .int(step.steps), "decoding": .int(step.decodes), "prompts": .int(step.prompts),
        "prompt tokens": .int(step.promptTokens),
      ])
    try trace.counter("running", process: process, at: step.end, ["requests": .int(step.running)])
    try trace.counter("waiting", process: process, at: step.end, ["requests": .int(step.waiting)])
    try trace.counter(
      "KV cache", process: process, at: step.end,
      ["used, %": .number(100 * Double(step.usedBlocks) / Double(max(1, step.blocks)))])
  }

  private func name(_ step: StepReport) -> String {
    switch (step.prompts > 0, step.decodes > 0) {
    case (true, true): "mixed"
    case (true, false): "prefill"
    default: step.steps > 1 ? "decode x \(step.steps)" : "decode"
    }
  }

  // MARK: Requests

  func write(_ record: RequestRecord) throws {
    guard record.end >= window.lowerBound, record.arrival < window.upperBound, take(8) else { return }
    let name = "request \(record.id)"
    try phase(name, record.arrival, record.end, record, arguments(record))
    let scheduled = record.firstScheduled >= 0 ? record.firstScheduled : record.end
    try phase("queued", record.arrival, scheduled, record)
    guard record.firstScheduled >= 0 else { return }
    let answered = record.firstToken >= 0 ? record.firstToken : record.end
    try phase("prefill", scheduled, answered, record)
    if record.firstToken >= 0 { try phase("decode", answered, record.end, record) }
  }

  private func arguments(_ record: RequestRecord) -> PerfettoTrace.Arguments {
    [
      "class": .text(classes[record.classIndex].name), "outcome": .text(record.outcome.rawValue),
      "replica": .int(record.replica), "prompt tokens": .int(record.inputTokens),
      "answer tokens": .int(record.generatedTokens), "preemptions": .int(record.preemptions),
      "tokens from cache": .int(record.hitTokens),
    ]
  }

  private func phase(
    _ name: String, _ start: Int64, _ end: Int64, _ record: RequestRecord,
    _ arguments: PerfettoTrace.Arguments = [:]
  ) throws {
    guard end > start else { return }
    let track = PerfettoTrace.Track(process: Self.requests, thread: 1)
    try trace.beginAsync(name, category: "request", id: record.id, on: track, at: start, arguments)
    try trace.endAsync(name, category: "request", id: record.id, on: track, at: end)
  }

  /// Whether there is room for so many events more.
  private func take(_ count: Int) -> Bool {
    guard events + count <= Self.mostEvents else {
      isCut = true
      return false
    }
    events += count
    return true
  }

  func finish() throws {
    try trace.finish()
    try file.finish()
  }
}
