import CostModels
import Documents
import Execution
import Foundation
import Hardware
import ModelGraph
import Quantities
import Techniques

/// The data files of the repository under test, by name.
package enum Repository {
  package static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  private static let platforms = Result { try PlatformFinder(hardwareFolder: folder + "/Hardware") }
  private static let models = Result { try Catalogue<ModelFile>(folder: folder + "/Workloads/Models") }
  private static let runtimes = Result { try Catalogue<RuntimeProfile>(folder: folder + "/Hardware/Runtimes") }
  private static let calibrations = Result {
    try Catalogue<Calibration>(folder: folder + "/Hardware/Calibrations").all()
  }

  /// Names of all shipped models, sorted.
  package static var modelNames: [String] { (try? models.get().names) ?? [] }

  package static func platform(_ name: String) throws -> Platform { try platforms.get().find(name) }
  package static func device(_ name: String) throws -> Device { try platforms.get().devices.find(name) }
  package static func model(_ name: String) throws -> Model { try models.get().find(name).model }
  package static func runtime(_ name: String) throws -> RuntimeProfile { try runtimes.get().find(name) }

  /// A deployment with the shipped calibrations.
  package static func deployment(
    _ model: String, on hardware: String, runtime: String = "vllm-v1", formats: FormatRequest = FormatRequest(),
    _ parallelism: Parallelism = Parallelism(), techniques: [String] = [], attention: AttentionKernel? = nil
  ) throws -> Deployment {
    let platform = try platform(hardware)
    var runtime = try self.runtime(runtime)
    runtime.kernels.attention = attention ?? runtime.kernels.attention
    return try Deployment(
      platform: platform, model: try self.model(model), runtime: runtime, formats: formats, parallelism: parallelism,
      calibration: CalibrationChoice(
        device: platform.device, runtime: runtime.name, from: calibrations.get(), folder: "Calibrations"),
      techniques: techniques.map(Techniques.parse))
  }

  /// A model's graph in bf16.
  package static func graph(_ model: String, _ parallelism: Parallelism = Parallelism()) throws -> OperatorGraph {
    try OperatorGraph(
      model: self.model(model), plan: Plan(formats: Formats(all: .bf16), parallelism: parallelism))
  }
}
