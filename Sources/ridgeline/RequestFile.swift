import Documents
import Reporting
import Serving

/// Per-request output: one CSV row for each request that ends, in order of completion.
final class RequestFile {
  private let file: OutputFile
  var path: String { file.path }

  static let columns = [
    "request", "outcome", "input_tokens", "output_tokens", "arrival_s", "queue_s", "ttft_s", "tpot_s", "e2e_s",
    "preemptions",
  ]

  init(path: String) throws {
    file = try OutputFile(path: path)
    try file.write(Self.columns.joined(separator: ",") + "\n")
  }

  func write(_ record: RequestRecord) throws {
    let done = record.outcome == .completed
    let scheduled = record.firstScheduled >= 0
    let answered = record.firstToken >= 0
    try file.write(
      MachineRenderer.csvLine([
        .int(record.id), .text(record.outcome.rawValue), .int(record.inputTokens), .int(record.outputTokens),
        seconds(record.arrival), scheduled ? seconds(record.queueTime) : .missing,
        answered ? seconds(record.timeToFirstToken) : .missing,
        done ? record.timePerOutputToken.map(seconds) ?? .missing : .missing,
        done ? seconds(record.endToEnd) : .missing, .int(record.preemptions),
      ]))
  }

  func finish() throws { try file.finish() }

  private func seconds(_ nanoseconds: Int64) -> ResultTable.Cell { .number(Double(nanoseconds) / 1e9) }
}
