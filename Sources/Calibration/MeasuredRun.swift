import CostModels
import Execution
import ModelGraph

/// One measured row, in the words of its file.
package struct MeasuredRun: Sendable {
  package var file: String
  package var line: Int
  package var device: String
  /// Devices as the file counts them: packages, which may hold several dies.
  package var deviceCount: Int
  package var runtime: String
  package var model: String
  package var batch: BatchCase
  package var load = Load.staticBatch
  package var formats = FormatRequest()
  /// Degrees where the file gives them; otherwise all devices share every layer.
  package var parallelism: Parallelism?
  package var measured: MetricValues
  /// Why the file's maker would not fit or score it; nothing for a clean row.
  package var exclusion: String?

  /// Sequences that ran at once, at most.
  var mostSequences: Int { load.served?.maxSequences ?? batch.sequences }

  /// Tells rows apart.
  package var id: String { "\(file):\(line)" }

  /// How requests arrive.
  package enum Load: Sendable {
    /// All at once; the batch is served from beginning to end.
    case staticBatch
    /// Each of `batch.sequences` clients sends its next request when the last one is answered.
    case closedLoop
    /// Whatever was served, replayed request by request.
    case served(ServedRun)

    package var served: ServedRun? { if case .served(let run) = self { run } else { nil } }
  }

  package init(
    file: String, line: Int, device: String, deviceCount: Int, runtime: String, model: String, batch: BatchCase,
    measured: MetricValues
  ) {
    self.file = file
    self.line = line
    self.device = device
    self.deviceCount = deviceCount
    self.runtime = runtime
    self.model = model
    self.batch = batch
    self.measured = measured
  }
}
