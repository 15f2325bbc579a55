import CostModels
import Documents
import Hardware
import ModelGraph
import Quantities
import Techniques

/// One model under one plan on one platform with one runtime: everything a prediction or a replay needs, checked.
package struct Deployment: Sendable {
  package private(set) var platform: Platform
  package private(set) var graph: OperatorGraph
  package let runtime: RuntimeProfile
  package private(set) var pricer: OperatorPricer
  /// Calibration files in use, most general first.
  package let calibrations: [String]
  /// How far measurements may lie from predictions.
  package let intervals: IntervalChoice
  /// Choices made for the user that a reader should know.
  package let notes: [String]
  /// What techniques made of the model, its plan and its requests.
  let design: Design
  /// Techniques in use, as they are written.
  package let techniques: [String]
  /// Drafts and assistants; nothing for one token at a time.
  package internal(set) var decoding: Decoding?

  /// What techniques make of requests.
  package var workload: WorkloadRewrite { design.workload }
  /// Where tensors live and operators run, unless all is on the devices that compute.
  package private(set) var placement: Placement?
  /// The same once the case has taken up its heat and clocks have fallen; one or none.
  private var throttledForms: [Deployment] = []

  package var model: Model { graph.model }
  package var plan: Plan { graph.plan }
  package var parallelism: Parallelism { graph.plan.parallelism }

  /// - Throws: ``DeploymentError``, ``PlanError``, ``UnsupportedFormat`` or ``TooManyWindows``.
  package init(
    platform: Platform, model: Model, runtime: RuntimeProfile, formats: FormatRequest, parallelism: Parallelism,
    routing: ExpertRouting = .uniform, calibration: CalibrationChoice, techniques: [NamedChoice] = []
  ) throws {
    self.platform = platform
    self.runtime = runtime
    pricer = OperatorPricer(platform: platform, constants: calibration.constants)
    calibrations = calibration.names
    intervals = calibration.intervals
    let (chosen, notes) = try formats.resolve(for: model, on: platform.device, rates: pricer.rates)
    self.notes =
      notes
      + (platform.dies > 1 ? ["\(platform.name) holds \(platform.dies) dies a package; tp, pp and dp count dies"] : [])
    var design = Design(
      model: model, plan: Plan(formats: chosen, parallelism: parallelism, routing: routing))
    design.plan.cacheCopies = runtime.cacheCopies
    design.plan.promptLogits = runtime.promptLogits
    design.plan.kernels = runtime.kernels(for: model)
    try Techniques.refuseFormats(weights: formats.weights != nil, cache: formats.kv != nil, beside: techniques)
    try Techniques.apply(techniques, to: &design)
    self.techniques = techniques.map(Techniques.text)
    self.design = design
    graph = try OperatorGraph(model: design.model, plan: design.plan)
    try checkFormats()
    try checkDevices()
  }

  /// A deployment in formats that are settled: nothing is left to the checkpoint and the device.
  /// - Throws: ``DeploymentError``, ``PlanError`` or ``TooManyWindows``.
  package init(
    platform: Platform, model: Model, runtime: RuntimeProfile, settled formats: Formats, calibration: CalibrationChoice
  ) throws {
    self.platform = platform
    self.runtime = runtime
    pricer = OperatorPricer(platform: platform, constants: calibration.constants)
    calibrations = calibration.names
    intervals = calibration.intervals
    notes = []
    var plan = Plan(formats: formats)
    plan.cacheCopies = runtime.cacheCopies
    plan.promptLogits = runtime.promptLogits
    plan.kernels = runtime.kernels(for: model)
    design = Design(model: model, plan: plan)
    graph = try OperatorGraph(model: model, plan: plan)
    techniques = []
    try checkDevices()
  }

  /// The same deployment under a plan on a machine.
  /// - Parameter constants: Calibrated constants of devices other than the main one.
  /// - Throws: ``MachineError``, ``PlacementError``, ``UnsupportedFormat``, or what `constants` throws.
  package func placed(
    by plan: PlacementPlan, on machine: Machine, powerCap: Watts? = nil, clock: Double = 1,
    constants: @escaping @Sendable (Device) throws -> Constants
  ) throws -> Deployment {
    var copy = self
    if plan.cores == .even { copy.pricer = pricer.on(platform.device.withEvenSplit) }
    if clock != 1 { copy.pricer = copy.pricer.clocked(clock) }
    let machine = plan.cores == .even ? machine.withEvenSplit : machine
    if plan.kv.home != nil, graph.plan.cacheCopies > 0 || graph.plan.kernels.attention != .paged {
      // A cache that lives elsewhere is added to and read where it lies, whatever a runtime does with one of its own.
      var own = graph.plan
      own.cacheCopies = 0
      own.kernels.attention = .paged
      copy.graph = try OperatorGraph(model: graph.model, plan: own)
    }
    let parts = Placement.Parts(
      graph: copy.graph, runtime: runtime, pricer: copy.pricer, constants: constants, powerCap: powerCap)
    let plan = try plan.withoutLost(on: machine)
    let filled =
      StageSearch.isOpen(plan) ? try StageSearch(plan: plan, machine: machine, parts: parts).filled() : plan
    copy.placement = try Placement(filled, on: machine, parts)
    return copy
  }

  /// What heat does to long work on the main device, where its file says so.
  package var thermal: ThermalLimit? { platform.device.thermal }

  /// The same deployment once clocks have fallen; nothing for devices whose cooling holds their board limit.
  package var throttled: Deployment? { throttledForms.first }

  /// Prepares what the deployment becomes when its case has taken up its heat.
  mutating func prepareForHeat() throws {
    guard let limit = thermal else { return }
    var copy = self
    copy.throttledForms = []
    let slower = pricer.clocked(limit.clock)
    copy.pricer = slower.on(slower.platform.device.withMemory(times: limit.memory))
    copy.placement = try placement?.throttled(to: limit)
    throttledForms = [copy]
  }

  /// One stage of the pipeline by itself.
  func stage(_ index: Int) -> Deployment {
    var copy = self
    copy.graph = graph.stage(index)
    return copy
  }

  /// The same deployment under other constants, without a placement.
  package func with(_ constants: Constants) -> Deployment {
    var copy = self
    copy.placement = nil
    copy.throttledForms = []
    copy.pricer = OperatorPricer(platform: platform, constants: constants)
    return copy
  }

  /// A copy with another model under the same plan, as a draft that shares the devices.
  func replacingModel(_ model: Model) throws -> Deployment {
    var copy = self
    var plan = plan
    plan.activationSparsity = nil
    plan.weightSparsity = nil
    copy.graph = try OperatorGraph(model: model, plan: plan)
    copy.decoding = nil
    copy.throttledForms = []
    // A placement is of the model it was made for.
    copy.placement = nil
    return copy
  }

  /// The same deployment decoding one token at a time, for engines that keep drafts themselves.
  package var withoutDrafts: Deployment {
    var copy = self
    copy.decoding = nil
    return copy
  }

  /// Checks that the device computes in what techniques ask for.
  private func checkFormats() throws(UnsupportedFormat) {
    let formats = plan.formats
    let own = graph.model.decoder.runs.compactMap(\.layer.formats?.compute)
    for format in [formats.compute] + own + (formats.details.planes == nil ? [] : [.int1])
    where !pricer.rates.supports(format) {
      throw UnsupportedFormat(format: format, role: "projections", device: platform.device)
    }
    guard let attention = formats.details.attention else { return }
    for product in [attention.scores, attention.values] where pricer.rates.rate(product) <= .zero {
      throw UnsupportedFormat(
        format: product.input,
        role: "attention" + (product.accumulator.map { " with \($0.rawValue) sums" } ?? ""), device: platform.device)
    }
  }

  /// The same deployment on hardware whose numbers are multiplied, without a placement.
  package func scaled(by scale: HardwareScale) -> Deployment {
    var copy = self
    copy.placement = nil
    copy.throttledForms = []
    copy.platform = platform.scaled(by: scale)
    copy.pricer = OperatorPricer(platform: copy.platform, constants: pricer.constants)
    return copy
  }

  /// Rent of the devices in use, where the files give an hourly price.
  package var hourlyPrice: DollarsPerHour? {
    if let device = platform.device.price?.hourly { return device * Double(parallelism.devices) }
    guard let system = platform.price?.hourly, let available = platform.available else { return nil }
    return system * (Double(parallelism.devices) / Double(available))
  }

  /// Rent of the devices in use for a time.
  package func price(of time: Seconds) -> Dollars? { hourlyPrice.map { $0 * time } }

  private func checkDevices() throws(DeploymentError) {
    let wanted = parallelism.devices
    if let available = platform.available, wanted > available {
      throw .tooFewDevices(platform: platform.name, wanted: wanted, available: available)
    }
    guard wanted == 1 || platform.peerPath.bandwidth > .zero else { throw .noLink(platform: platform.name) }
    let perNode = platform.perNode ?? wanted
    guard wanted <= perNode || platform.nodePath != nil else { throw .noLinkBetweenNodes(platform: platform.name) }
  }
}

package enum DeploymentError: Error, CustomStringConvertible, Sendable {
  case tooFewDevices(platform: String, wanted: Int, available: Int)
  case noLink(platform: String)
  case noLinkBetweenNodes(platform: String)

  package var description: String {
    switch self {
    case .tooFewDevices(let platform, let wanted, let available):
      "the plan needs \(wanted) devices and \(platform) has \(available)"
    case .noLink(let platform): "\(platform) has no link to others of its kind, so it works alone (tp, pp, dp 1)"
    case .noLinkBetweenNodes(let platform): "the plan spans nodes and \(platform) has no link between nodes"
    }
  }
}

/// The formats a user asked for; what was left open follows from the checkpoint and the device.
package struct FormatRequest: Sendable, Hashable {
  package var weights: NumberFormat?
  package var activations: NumberFormat?
  package var kv: NumberFormat?

  package init(weights: NumberFormat? = nil, activations: NumberFormat? = nil, kv: NumberFormat? = nil) {
    self.weights = weights
    self.activations = activations
    self.kv = kv
  }

  /// Fills in what is open and checks that the device can compute the result.
  func resolve(
    for model: Model, on device: Device, rates: ComputeRates
  ) throws(UnsupportedFormat) -> (formats: Formats, notes: [String]) {
    var notes: [String] = []
    let stream = streamFormat(model, rates, device.name, &notes)
    let published = model.quantization.flatMap { keepsPublished($0) ? $0 : nil }
    let activations = self.activations ?? publishedActivations(published, stream, rates, device.name, &notes)
    let dense = published.map { $0.expertsOnly ? stream : $0.weights }
    let chosen = Formats(
      weights: weights ?? dense ?? activations, experts: published?.weights, activations: activations,
      expertActivations: expertActivations(published, rates), kv: kv ?? stream,
      stream: activations.bits >= 16 ? activations : stream)
    for (format, role) in [(chosen.compute, "activations"), (chosen.stream, "attention and the residual stream")] {
      guard rates.supports(format) else {
        throw UnsupportedFormat(format: format, role: role, device: device)
      }
    }
    return (chosen, notes)
  }

  /// Whether what the user named leaves the checkpoint's quantisation as it is: nothing, or the same weights, or other
  /// activations for them.
  private func keepsPublished(_ quantization: Quantization) -> Bool {
    weights == nil || weights == quantization.weights && !quantization.expertsOnly
  }

  /// Kernels for experts in 4-bit floats round their inputs to 8 bits where the device multiplies such pairs: those with
  /// 4-bit arithmetic (mixed FP8 and FP4 products run at the rate of FP8). Elsewhere weights are expanded.
  private func expertActivations(_ published: Quantization?, _ rates: ComputeRates) -> NumberFormat? {
    guard let published, published.expertsOnly, activations == nil, published.weights.arithmetic == .fp4 else {
      return nil
    }
    return rates.supports(.fp4) && rates.supports(.fp8) ? .fp8 : nil
  }

  /// A quantised checkpoint's activation format where the device computes in it; else weights are expanded.
  private func publishedActivations(
    _ published: Quantization?, _ stream: NumberFormat, _ rates: ComputeRates, _ device: String, _ notes: inout [String]
  ) -> NumberFormat {
    guard let format = published?.activations else { return stream }
    if rates.supports(format) { return format }
    notes.append("\(device) has no \(format.rawValue) arithmetic; weights are expanded to \(stream.rawValue)")
    return stream
  }

  /// The checkpoint's 16-bit format where the device computes in it, else the nearest that it does.
  private func streamFormat(
    _ model: Model, _ rates: ComputeRates, _ device: String, _ notes: inout [String]
  ) -> NumberFormat {
    let published: NumberFormat = model.publishedFormat == .fp16 ? .fp16 : .bf16
    let choices: [NumberFormat] = [published, .bf16, .fp16, .fp32]
    let choice = choices.first(where: rates.supports) ?? published
    if choice != published {
      notes.append("\(device) has no \(published.rawValue) arithmetic; \(choice.rawValue) is used in its place")
    }
    return choice
  }
}
