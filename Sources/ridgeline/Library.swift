import CostModels
import Documents
import Execution
import Hardware
import ModelGraph
import Quantities
import Workloads

/// The data files of an installation, by kind.
struct Library {
  let folder: String
  let platforms: PlatformFinder
  let models: Catalogue<ModelFile>
  let runtimes: Catalogue<RuntimeProfile>
  let calibrations: [Calibration]

  init() throws {
    folder = try DataFolder.find()
    platforms = try PlatformFinder(hardwareFolder: folder + "/Hardware")
    models = try Catalogue(folder: folder + "/Workloads/Models")
    runtimes = try Catalogue(folder: folder + "/Hardware/Runtimes")
    calibrations = try Catalogue<Calibration>(folder: folder + "/Hardware/Calibrations").all()
  }

  /// Generated traffic, read when asked for.
  func traffic() throws -> Catalogue<Workloads.Traffic> { try Catalogue(folder: folder + "/Workloads/Traffic") }

  /// A calibration by name.
  func calibration(_ name: String) throws -> Calibration {
    try Catalogue<Calibration>(folder: calibrationFolder).find(name)
  }

  var calibrationFolder: String { folder + "/Hardware/Calibrations" }

  /// What a deployment is made of, by name.
  struct Request: Hashable {
    var model: String
    var hardware: String
    var runtime: String
    var formats: FormatRequest
    var parallelism: Parallelism
  }

  /// Resolves names and checks that the pieces fit together.
  func deployment(_ request: Request) throws -> Deployment {
    let platform = try platforms.find(request.hardware)
    let runtime = try runtimes.find(request.runtime)
    let model = try models.find(request.model).model
    let calibration = try CalibrationChoice(
      device: platform.device, runtime: runtime.name, from: calibrations, folder: calibrationFolder)
    return try Deployment(
      platform: platform, model: model, runtime: runtime, formats: request.formats,
      parallelism: request.parallelism, calibration: calibration)
  }
}
