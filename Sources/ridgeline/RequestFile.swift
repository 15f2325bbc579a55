import Documents
import Reporting
import Serving
import Workloads

/// Per-request output: one CSV row for each request that ends, in order of completion.
final class RequestFile {
  private let file: OutputFile
  private let classes: [RequestClass]
  private let objectives: [Objective]

  static let columns = [
    "request", "outcome", "input_tokens", "output_tokens", "arrival_s", "queue_s", "ttft_s", "tpot_s", "e2e_s",
    "preemptions", "class", "tenant", "replica", "hit_tokens", "generated_tokens", "retries", "met_objectives",
    "fluidity_index",
    "fluid_tokens_per_s",
  ]

  /// - Parameters:
  ///   - classes: Those of the traffic.
  ///   - measurement: What requests are held against.
  init(path: String, classes: [RequestClass], measuring measurement: MeasurementOptions) throws {
    self.classes = classes
    objectives = classes.map { Objective($0.objective, replacedBy: measurement.objective) }
    file = try OutputFile(path: path)
    try file.write(Self.columns.joined(separator: ",") + "\n")
  }

  func write(_ record: RequestRecord) throws {
    try file.write(MachineRenderer.csvLine(times(record) + facts(record)))
  }

  private func times(_ record: RequestRecord) -> [ResultTable.Cell] {
    let done = record.outcome == .completed
    let scheduled = record.firstScheduled >= 0
    let answered = record.firstToken >= 0
    return [
      .int(record.id), .text(record.outcome.rawValue), .int(record.inputTokens), .int(record.outputTokens),
      seconds(record.arrival), scheduled ? seconds(record.queueTime) : .missing,
      answered ? seconds(record.timeToFirstToken) : .missing,
      done ? record.timePerOutputToken.map(seconds) ?? .missing : .missing,
      done ? seconds(record.endToEnd) : .missing, .int(record.preemptions),
    ]
  }

  private func facts(_ record: RequestRecord) -> [ResultTable.Cell] {
    let item = classes[record.classIndex]
    let objective = objectives[record.classIndex]
    let isJudged = !objective.isEmpty && record.outcome != .unfinished
    return [
      .text(item.name), .text(item.tenant), record.replica >= 0 ? .int(record.replica) : .missing,
      .int(record.hitTokens), .int(record.generatedTokens), .int(record.retries),
      isJudged ? .text(objective.check(record).all ? "yes" : "no") : .missing,
      ResultTable.Cell(record.fluidity?.index),
      ResultTable.Cell(record.fluidity?.fluidGap.map { 1e9 / Double($0) }),
    ]
  }

  func finish() throws { try file.finish() }

  private func seconds(_ nanoseconds: Int64) -> ResultTable.Cell { .number(Double(nanoseconds) / 1e9) }
}
