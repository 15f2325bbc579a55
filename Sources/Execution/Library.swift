import CostModels
import Documents
import Hardware
import ModelGraph
import Quantities
import Techniques

/// The data files of an installation, by kind.
package struct Library: Sendable {
  package let folder: String
  package let platforms: PlatformFinder
  package let models: Catalogue<ModelFile>
  package let runtimes: Catalogue<RuntimeProfile>
  package let plans: Catalogue<PlacementPlan>
  package var calibrations: [Calibration]

  /// Reads the folder given, or the one ``DataFolder`` finds.
  package init(folder given: String? = nil) throws {
    folder = try given ?? DataFolder.find()
    platforms = try PlatformFinder(hardwareFolder: folder + "/Hardware")
    models = try Catalogue(folder: folder + "/Workloads/Models")
    runtimes = try Catalogue(folder: folder + "/Hardware/Runtimes")
    plans = try Catalogue(folder: folder + "/Workloads/Plans")
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
    /// Where tensors live and operators run; nothing for all on the devices that compute.
    package var plan: PlacementPlan?
    /// Board power of each device that a plan's steps are stretched to stay under.
    package var powerCap: Watts?
    /// Clock of the arithmetic units, as a share of the device's own.
    package var clock = 1.0
    package var techniques: [NamedChoice]

    package init(
      model: String, hardware: String, runtime: String, formats: FormatRequest = FormatRequest(),
      parallelism: Parallelism = Parallelism(), routing: ExpertRouting = .uniform,
      techniques: [NamedChoice] = []
    ) {
      self.techniques = techniques
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
    var deployment = try Deployment(
      platform: platform, model: model, runtime: runtime, formats: request.formats,
      parallelism: request.parallelism, routing: request.routing, calibration: calibration,
      techniques: request.techniques)
    let design = deployment.design
    if design.drafting != nil || design.reasoning != nil {
      deployment.decoding = Decoding(
        drafting: design.drafting, draft: try design.drafting.flatMap { try draft($0.source, of: deployment, request) },
        reasoning: design.reasoning, assistant: try design.reasoning.map { try small($0.model, request) })
    }
    let isPlain = request.powerCap == nil && request.clock == 1
    guard request.plan != nil || !isPlain else { return deployment }
    return try deployment.placed(
      by: request.plan ?? .resident, on: machine(request.hardware), powerCap: request.powerCap, clock: request.clock,
      constants: constants(runtime: runtime.name))
  }

  /// Everything the hardware file describes, for plans.
  package func machine(_ hardware: String) throws -> Machine {
    try MachineBuilder(finder: platforms).machine(platforms.find(hardware), name: hardware)
  }

  /// Constants of any device under a runtime.
  package func constants(runtime: String) -> @Sendable (Device) throws -> Constants {
    let (calibrations, folder) = (calibrations, calibrationFolder)
    return { device in
      try CalibrationChoice(device: device, runtime: runtime, from: calibrations, folder: folder).constants
    }
  }

  private func draft(_ source: Drafting.Source, of deployment: Deployment, _ request: Request) throws -> Deployment? {
    switch source {
    case .free: return nil
    case .model(let name): return try small(name, request)
    case .head(let layers, let vocabulary):
      return try deployment.replacingModel(deployment.model.draftHead(layers: layers, vocabulary: vocabulary))
    }
  }

  /// A small model beside the large one: its own formats, the same devices, on one of them where it cannot be split.
  private func small(_ name: String, _ request: Request) throws -> Deployment {
    var own = Request(model: name, hardware: request.hardware, runtime: request.runtime)
    own.parallelism.tensor = request.parallelism.tensor
    do {
      return try deployment(own)
    } catch is PlanError {
      own.parallelism.tensor = 1
      return try deployment(own)
    }
  }
}
