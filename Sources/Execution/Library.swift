import CostModels
import Documents
import Hardware
import ModelGraph
import Quantities

/// The data files of an installation, by kind.
package struct Library: Sendable {
  package let folder: String
  package let platforms: PlatformFinder
  package let models: Catalogue<ModelFile>
  package let runtimes: Catalogue<RuntimeProfile>
  package var calibrations: [Calibration]

  /// Reads the folder given, or the one ``DataFolder`` finds.
  package init(folder given: String? = nil) throws {
    folder = try given ?? DataFolder.find()
    platforms = try PlatformFinder(hardwareFolder: folder + "/Hardware")
    models = try Catalogue(folder: folder + "/Workloads/Models")
    runtimes = try Catalogue(folder: folder + "/Hardware/Runtimes")
    calibrations = try Catalogue<Calibration>(folder: folder + "/Hardware/Calibrations").all()
  }

  /// A calibration by name.
  package func calibration(_ name: String) throws -> Calibration {
    try Catalogue<Calibration>(folder: calibrationFolder).find(name)
  }

  package var calibrationFolder: String { folder + "/Hardware/Calibrations" }

  /// What a deployment is made of, by name.
  package struct Request: Hashable, Sendable {
    package var model: String
    package var hardware: String
    package var runtime: String
    package var formats: FormatRequest
    package var parallelism: Parallelism
    package var routing: ExpertRouting
    /// Factors on the hardware's numbers.
    package var scale = HardwareScale()

    package init(
      model: String, hardware: String, runtime: String, formats: FormatRequest = FormatRequest(),
      parallelism: Parallelism = Parallelism(), routing: ExpertRouting = .uniform
    ) {
      self.model = model
      self.hardware = hardware
      self.runtime = runtime
      self.formats = formats
      self.parallelism = parallelism
      self.routing = routing
    }
  }

  /// Resolves names and checks that the pieces fit together.
  package func deployment(_ request: Request) throws -> Deployment {
    try deployment(request, model: models.find(request.model).model)
  }

  /// The same with a model that is in no file.
  package func deployment(_ request: Request, model: Model) throws -> Deployment {
    let platform = try platforms.find(request.hardware).scaled(by: request.scale)
    let runtime = try runtimes.find(request.runtime)
    let calibration = try CalibrationChoice(
      device: platform.device, runtime: runtime.name, from: calibrations, folder: calibrationFolder)
    return try Deployment(
      platform: platform, model: model, runtime: runtime, formats: request.formats,
      parallelism: request.parallelism, routing: request.routing, calibration: calibration)
  }
}
