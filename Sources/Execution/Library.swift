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
    package var techniques: [NamedChoice]
    /// Factors on the hardware's numbers.
    package var scale = HardwareScale()
    /// Where tensors live and operators run; nothing for all on the devices that compute.
    package var plan: PlacementPlan?
    /// Board power of each device that a plan's steps are stretched to stay under.
    package var powerCap: Watts?
    /// Clock of the arithmetic units, as a share of the device's own.
    package var clock = 1.0
    /// Whose core launches and schedules; nothing for the calibrations' own.
    package var hostCore: HostCore?
    /// The kernels of attention, where a source names others than the runtime's own.
    package var attention: AttentionKernel?

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
  /// - Parameter adjustments: What a study sets in place of the runtime's or the calibrations' numbers.
  package func deployment(_ request: Request, adjustments: Adjustments = Adjustments()) throws -> Deployment {
    try deployment(request, of: models.find(request.model).model, adjustments: adjustments)
  }

  /// The same for a model that no file describes.
  package func deployment(
    _ request: Request, of model: Model, adjustments: Adjustments = Adjustments()
  ) throws -> Deployment {
    let platform = try platforms.find(request.hardware).scaled(by: request.scale)
    var runtime = adjustments.applied(to: try runtimes.find(request.runtime))
    runtime.kernels.attention = request.attention ?? runtime.kernels.attention
    let calibration = try CalibrationChoice(
      device: platform.device, runtime: runtime.name, from: calibrations, folder: calibrationFolder)
    var deployment = try Deployment(
      platform: platform, model: model, runtime: runtime, formats: request.formats,
      parallelism: request.parallelism, routing: request.routing, calibration: calibration,
      techniques: request.techniques)
    if let core = request.hostCore {
      let factor = try hostFactor(core, request, calibration)
      deployment = deployment.with(calibration.constants.onHost(times: factor))
    }
    deployment = adjustments.applied(to: deployment)
    let isPlain = request.powerCap == nil && request.clock == 1
    if request.plan != nil || !isPlain {
      deployment = try deployment.placed(
        by: request.plan ?? .resident, on: machine(request.hardware), powerCap: request.powerCap,
        clock: request.clock, constants: constants(runtime: runtime.name))
    }
    try deployment.prepareForHeat()
    let design = deployment.design
    guard design.drafting != nil || design.reasoning != nil else {
      if let plan = request.plan, plan.draft != DraftPlacement() { throw PlacementError.noDraft(plan: plan.name) }
      return deployment
    }
    deployment.decoding = Decoding(
      drafting: design.drafting,
      draft: try design.drafting.flatMap { try draft($0.source, of: deployment, request, adjustments) },
      reasoning: design.reasoning, assistant: try design.reasoning.map { try small($0.model, request, adjustments) })
    deployment.decoding?.way = try draftWay(request)
    deployment.decoding?.alone = request.plan?.draft.alone ?? 0
    return deployment
  }

  private func draft(
    _ source: Drafting.Source, of deployment: Deployment, _ request: Request, _ adjustments: Adjustments
  ) throws -> Deployment? {
    switch source {
    case .free: return nil
    case .model(let name): return try small(name, request, adjustments)
    case .head(let layers, let vocabulary):
      if let plan = request.plan, let at = plan.draft.at { throw PlacementError.draftHead(plan: plan.name, place: at) }
      return try deployment.replacingModel(deployment.model.draftHead(layers: layers, vocabulary: vocabulary))
    }
  }

  /// A small model beside the large one: its own formats, the same devices, on one of them where it cannot be split.
  private func small(_ name: String, _ request: Request, _ adjustments: Adjustments) throws -> Deployment {
    if let at = request.plan?.draft.at { return try elsewhere(name, at: at, request, adjustments) }
    var own = Request(model: name, hardware: request.hardware, runtime: request.runtime)
    own.parallelism.tensor = request.parallelism.tensor
    do {
      return try deployment(own, adjustments: adjustments)
    } catch is PlanError {
      own.parallelism.tensor = 1
      return try deployment(own, adjustments: adjustments)
    }
  }

  /// A small model on another place of the machine, which must hold it.
  private func elsewhere(
    _ name: String, at: String, _ request: Request, _ adjustments: Adjustments
  ) throws -> Deployment {
    let machine = try machine(request.hardware)
    let place = machine.places[try machine.resolve(at)]
    guard !place.isDrive else { throw PlacementError.cannotCompute(place: place.name, what: "drafts") }
    let own = Request(model: name, hardware: place.device.name, runtime: request.runtime)
    let small = try deployment(own, adjustments: adjustments)
    let ledger = small.memoryLedger()
    guard ledger.weightsFit else {
      throw PlacementError.doesNotFit(
        what: "the weights of \(name)", place: place.name, needed: ledger.weights, room: ledger.usable,
        hint: "choose a smaller draft model")
    }
    return small
  }

  /// The way between the place that drafts and the main one; nothing when they are the same.
  private func draftWay(_ request: Request) throws -> DraftWay? {
    guard let plan = request.plan, let at = plan.draft.at else { return nil }
    let machine = try machine(request.hardware)
    let (from, to) = (try machine.resolve(at), machine.main)
    guard from != to else { return nil }
    let hops = try machine.path(from: from, to: to)
    let latency = hops.filter { $0.through != nil }.sum { machine.wires[$0.wire].latency }
    let slowest = hops.map { machine.wires[$0.wire].bandwidth }.min() ?? BytesPerSecond(1)
    let share = machine.places[from].node == machine.places[to].node ? plan.copies.host : plan.copies.network
    return DraftWay(latency: (latency + plan.copies.start) * 2, bandwidth: slowest * share)
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
}

/// Numbers that a study sets in place of a runtime's or of calibrated ones, each named where it is set.
package struct Adjustments: Sendable {
  package var memoryFraction: Double?
  package var maxBatchedTokens: Int?
  package var graphCapture: Bool?
  package var unfused: Set<UnfusedPass>?
  package var constants: [(key: ConstantKey, value: Double)] = []

  package init() {}

  func applied(to runtime: RuntimeProfile) -> RuntimeProfile {
    var runtime = runtime
    runtime.memoryFraction = memoryFraction ?? runtime.memoryFraction
    runtime.maxBatchedTokens = maxBatchedTokens ?? runtime.maxBatchedTokens
    runtime.graphCapture = graphCapture ?? runtime.graphCapture
    runtime.kernels.unfused = unfused ?? runtime.kernels.unfused
    return runtime
  }

  func applied(to deployment: Deployment) -> Deployment {
    guard !constants.isEmpty else { return deployment }
    var own = deployment.pricer.constants
    for (key, value) in constants { own[key] = value }
    return deployment.with(own)
  }
}
