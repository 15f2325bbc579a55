import Documents
import Reporting
import Serving

/// The state of a cluster over time: one CSV row a sample.
final class SeriesFile {
  private let file: OutputFile

  static let columns = [
    "time_s", "waiting", "running", "kv_occupancy", "power_w", "output_tokens_per_s", "replicas_up",
  ]

  init(path: String) throws {
    file = try OutputFile(path: path)
    try file.write(Self.columns.joined(separator: ",") + "\n")
  }

  func write(_ sample: SeriesSample) throws {
    try file.write(
      MachineRenderer.csvLine([
        .number(Double(sample.time) / 1e9), .int(sample.waiting), .int(sample.running), .number(sample.occupancy),
        ResultTable.Cell(sample.power), ResultTable.Cell(sample.outputTokensPerSecond), .int(sample.replicasUp),
      ]))
  }

  func finish() throws { try file.finish() }
}
