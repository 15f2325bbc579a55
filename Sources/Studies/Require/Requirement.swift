import CostModels
import EventKernel
import Execution
import Hardware
import ModelGraph
import Quantities

/// What a platform must be able to do for a batch to keep its objectives.
///
/// The kind of platform is given by one that exists, with its calibrated efficiencies; its numbers are what is asked for.
package struct Requirement: Sendable {
  package let deployment: Deployment
  package let batch: BatchCase
  package let objectives: Objectives

  package struct Objectives: Sendable {
    package var firstToken: Seconds?
    package var perToken: Seconds?
    package var endToEnd: Seconds?
    /// In which weights must come from storage when a server starts.
    package var loading: Seconds?

    package init() {}
  }

  package init(_ deployment: Deployment, _ batch: BatchCase, _ objectives: Objectives) {
    self.deployment = deployment
    self.batch = batch
    self.objectives = objectives
  }

  /// One number of each device, or of each link between two.
  package struct Need: Sendable {
    package var number: HardwareNumber
    /// What the platform has.
    package var has: Double
    /// The least that would do with everything else as it is; nothing where no amount does.
    package var alone: Double?
    /// The least that would do were everything else without limit.
    package var floor: Double?
    /// What it has in the platform that just does it, balanced.
    package var balanced: Double?

    /// Whether the objectives fail by it however large all others are.
    package var binds: Bool { floor.map { $0 > has * 1.001 } ?? true }
  }

  static let numbers: [HardwareNumber] = [.compute, .memoryBandwidth, .memoryCapacity, .linkBandwidth]
  private static let range = 1e-4...1e4

  // MARK: Answers

  package func needs() -> [Need] {
    let floors = Self.numbers.map { least(of: $0, others: 1000) }
    let balance = balance(floors)
    return Self.numbers.enumerated().filter { isInUse($0.element) }.map { index, number in
      Need(
        number: number, has: value(number), alone: least(of: number, others: 1).map { $0 * value(number) },
        floor: floors[index].map { $0 * value(number) },
        balanced: balance.flatMap { factor in
          floors[index].map { number == .memoryCapacity ? $0 * value(number) : $0 * factor * value(number) }
        })
    }
  }

  /// Whether the platform as it is keeps the objectives.
  package var isMet: Bool { holds(HardwareScale()) }

  /// The objectives with what the platform as it is reaches; nothing where the batch does not fit.
  package func reached() -> [(name: String, limit: Seconds, value: Seconds)]? {
    guard let prediction = prediction(HardwareScale()) else { return nil }
    return [
      ("TTFT", objectives.firstToken, prediction.ttft), ("TPOT", objectives.perToken, prediction.tpot ?? .zero),
      ("end to end", objectives.endToEnd, prediction.endToEnd),
    ].compactMap { name, limit, value in limit.map { (name: name, limit: $0, value: value) } }
  }

  /// Rates from storage that load the weights in time, and the room they take there, of each device.
  package var storage: (rate: BytesPerSecond, room: Bytes)? {
    objectives.loading.map { time in
      let weights = deployment.graph.footprint.weights
      return (rate: weights / time, room: weights)
    }
  }

  /// Memory bandwidth needed at one compute rate after another: platforms that perform alike.
  package func isoCurve() -> [(compute: Double, bandwidth: Double)] {
    let steps = 17
    guard let floor = least(of: .compute, others: 1000) else { return [] }
    return (0..<steps).compactMap { index in
      var scale = generous(except: [.compute, .memoryBandwidth])
      scale[.compute] = min(1000, max(0.001, floor * 1.02 * Self.power(64, Double(index) / Double(steps - 1))))
      return least(of: .memoryBandwidth, over: scale).map {
        (compute: scale[.compute] * value(.compute), bandwidth: $0 * value(.memoryBandwidth))
      }
    }
  }

  private static func power(_ base: Double, _ exponent: Double) -> Double { PortableMath.power(base, exponent) }

  // MARK: Search

  private func prediction(_ scale: HardwareScale) -> Prediction? {
    try? Predictor(deployment.scaled(by: scale)).predict(batch)
  }

  private func holds(_ scale: HardwareScale) -> Bool {
    guard let prediction = prediction(scale) else { return false }
    func within(_ value: Seconds?, _ limit: Seconds?) -> Bool { limit.map { (value ?? .zero) <= $0 } ?? true }
    return within(prediction.ttft, objectives.firstToken) && within(prediction.tpot, objectives.perToken)
      && within(prediction.endToEnd, objectives.endToEnd)
  }

  private func generous(except kept: [HardwareNumber], by factor: Double = 1000) -> HardwareScale {
    var scale = HardwareScale()
    for number in Self.numbers where !kept.contains(number) { scale[number] = factor }
    if factor > 1 { scale[.linkLatency] = 1 / factor }
    return scale
  }

  private func least(of number: HardwareNumber, others factor: Double) -> Double? {
    least(of: number, over: factor == 1 ? HardwareScale() : generous(except: [number], by: factor))
  }

  /// The least factor on a number that keeps the objectives; found to a thousandth.
  private func least(of number: HardwareNumber, over scale: HardwareScale) -> Double? {
    func holds(_ factor: Double) -> Bool {
      var scale = scale
      scale[number] = factor
      return self.holds(scale)
    }
    var (low, high) = (Self.range.lowerBound, Self.range.upperBound)
    guard holds(high) else { return nil }
    guard !holds(low) else { return low }
    while high / low > 1.001 {
      let middle = (low * high).squareRoot()
      if holds(middle) { high = middle } else { low = middle }
    }
    return high
  }

  /// The factor on all floors but capacity's at which the objectives are just kept.
  private func balance(_ floors: [Double?]) -> Double? {
    func holds(_ factor: Double) -> Bool {
      var scale = HardwareScale()
      for (number, floor) in zip(Self.numbers, floors) {
        guard let floor else { return false }
        scale[number] = number == .memoryCapacity ? floor : floor * factor
      }
      return self.holds(scale)
    }
    var (low, high) = (1.0, 64.0)
    guard holds(high) else { return nil }
    while high / low > 1.001 {
      let middle = (low * high).squareRoot()
      if holds(middle) { high = middle } else { low = middle }
    }
    return high
  }

  /// A number of each device as it is.
  package func value(_ number: HardwareNumber) -> Double {
    let platform = deployment.platform
    switch number {
    case .compute: return deployment.pricer.rates.rate(deployment.plan.formats.compute).value
    case .memoryBandwidth: return platform.device.mainMemory?.bandwidth?.value ?? 0
    case .memoryCapacity: return platform.device.mainMemory?.capacity.value ?? 0
    case .linkBandwidth: return platform.peerPath.bandwidth.value
    default: return 0
    }
  }

  private func isInUse(_ number: HardwareNumber) -> Bool {
    number != .linkBandwidth || deployment.parallelism.devices > 1
  }
}
