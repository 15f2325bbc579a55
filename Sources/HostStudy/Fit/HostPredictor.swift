import CostModels
import Documents
import Execution
import Hardware
import ModelGraph
import Quantities
import ReferenceEngine

/// Predicts what the engine does on this machine, the way every prediction is made: operators of the graph, priced on
/// the device with its calibration.
package struct HostPredictor: Sendable {
  package let files: HostFiles
  /// Calibrations that ship, for what the host's own does not say.
  package let shipped: [Calibration]

  package init(files: HostFiles, shipped: [Calibration]) {
    self.files = files
    self.shipped = shipped
  }

  package static func platform(_ device: Device) -> Platform {
    Platform(
      name: device.name, title: device.title, device: device, available: 1, perNode: 1,
      peerPath: LinkPath(name: "none", bandwidth: .zero, latency: .zero))
  }

  /// A model in some formats on so many threads, with the files' constants.
  package func deployment(_ model: Model, _ formats: Formats, _ format: WeightFormat, threads: Int) throws -> Deployment
  {
    try deployment(model, formats, format, threads: threads, [try files.calibration(format, threads)])
  }

  func deployment(
    _ model: Model, _ formats: Formats, _ format: WeightFormat, threads: Int, _ own: [Calibration]
  ) throws -> Deployment {
    let device = try files.device(threads)
    let runtime = try files.runtime(format)
    let choice = try CalibrationChoice(
      device: device, runtime: runtime.name, from: shipped + own, folder: files.folder + "/Calibrations")
    return try Deployment(
      platform: Self.platform(device), model: model, runtime: runtime, settled: formats, calibration: choice)
  }
}

extension HostStep {
  func shape(_ spans: AttentionSpans) -> StepShape {
    switch self {
    case .prefill(let tokens): .prefill(sequences: 1, tokens: tokens, spans: spans)
    case .decode(let sequences, let context): .decode(sequences: sequences, context: context, spans: spans)
    }
  }
}

extension HostShape {
  /// The architecture, as predictions see it.
  package func architecture() throws -> Model {
    try ModelReader.model(from: JSONDocument.parse(configuration, file: name), name: name)
  }
}
