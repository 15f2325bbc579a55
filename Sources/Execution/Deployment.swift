import CostModels
import Documents
import Hardware
import ModelGraph
import Quantities

/// One model under one plan on one platform with one runtime: everything a prediction or a replay needs, checked.
package struct Deployment: Sendable {
  package let platform: Platform
  package let graph: OperatorGraph
  package let runtime: RuntimeProfile
  package private(set) var pricer: OperatorPricer
  /// Calibration files in use, most general first.
  package let calibrations: [String]
  /// How far measurements may lie from predictions.
  package let intervals: IntervalChoice
  /// Choices made for the user that a reader should know.
  package let notes: [String]

  package var model: Model { graph.model }
  package var plan: Plan { graph.plan }
  package var parallelism: Parallelism { graph.plan.parallelism }

  /// - Throws: ``DeploymentError``, ``PlanError``, ``UnsupportedFormat`` or ``TooManyWindows``.
  package init(
    platform: Platform, model: Model, runtime: RuntimeProfile, formats: FormatRequest, parallelism: Parallelism,
    routing: ExpertRouting = .uniform, calibration: CalibrationChoice
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
    graph = try OperatorGraph(model: model, plan: Plan(formats: chosen, parallelism: parallelism, routing: routing))
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
    graph = try OperatorGraph(model: model, plan: Plan(formats: formats))
    try checkDevices()
  }

  /// The same deployment under other constants.
  package func with(_ constants: Constants) -> Deployment {
    var copy = self
    copy.pricer = OperatorPricer(platform: platform, constants: constants)
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
      weights: weights ?? dense ?? activations, experts: published?.weights, activations: activations, kv: kv ?? stream,
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
