import Hardware
import ModelGraph
import Quantities

/// Prices operators on one platform with calibrated rooflines.
///
/// Times are a start and a smooth maximum of compute and memory, each against a calibrated share of its peak. Shapes of
/// the curves follow published kernel behaviour; their constants are calibration. Caches count as cold: in a step, a
/// layer's weights and cache have been pushed out by those of all others.
package struct OperatorPricer: Sendable {
  package let platform: Platform
  package let constants: Constants
  package let rates: ComputeRates

  private let gemms: GEMMPricer
  private let attention: AttentionPricer
  private let collectives: CollectivePricer
  private let bandwidth: BytesPerSecond
  private let cap: Watts

  package init(platform: Platform, constants: Constants) {
    self.platform = platform
    self.constants = constants
    let device = platform.device
    rates = ComputeRates(device)
    gemms = GEMMPricer(device: device, rates: rates, constants: constants)
    attention = AttentionPricer(device: device, rates: rates, constants: constants)
    collectives = CollectivePricer(platform: platform, constants: constants)
    bandwidth = device.mainMemory?.bandwidth ?? .zero
    cap = device.power.cap
  }

  /// The same constants on another device.
  package func on(_ device: Device) -> OperatorPricer {
    OperatorPricer(platform: platform.with(device), constants: constants)
  }

  /// Prices one instance of an operator.
  /// - Complexity: O(tiles in the class's menu) for GEMMs, O(1) otherwise.
  package func price(_ work: Operator) -> OperatorPrice {
    work.launches > 1 ? priceApart(work) : priceAtOnce(work)
  }

  /// An operator that several kernels run: their work together, and a start for each.
  private func priceApart(_ work: Operator) -> OperatorPrice {
    var price = priceAtOnce(work)
    let start = work.kind.isProduct ? constants[.gemmStart] : constants[.elementwiseStart]
    let starts = Seconds(Double(work.launches - 1) * start)
    price.time += starts
    price.energy += constants[.powerStatic] * cap * starts
    return price
  }

  private func priceAtOnce(_ work: Operator) -> OperatorPrice {
    if let time = constants.kernels?.time(work) {
      return priced(work, time.total, compute: time.compute, memory: time.memory, start: time.start)
    }
    let peak = (work.attention.map(rates.rate) ?? rates.rate(work.compute)).value
    switch work.kind {
    case .gemm(let shape):
      let time = gemms.time(shape, work, peak: peak)
      return priced(work, time.total, compute: time.compute, memory: time.memory, start: time.start)
    case .expertGEMM(let shape):
      guard shape.activeExperts > 0 else { return OperatorPrice(time: .zero, energy: .zero, bound: .start) }
      let time = gemms.time(shape, work, peak: peak)
      return priced(work, time.total, compute: time.compute, memory: time.memory, start: time.start)
    case .decodeAttention(let shape):
      let time = attention.decode(shape, work, peak: peak)
      var price = priced(work, time.total, compute: time.compute, memory: time.memory, start: time.start)
      price.energy = min(price.energy + constants[.powerAttention] * cap * price.time, cap * price.time)
      return price
    case .prefillAttention(let shape):
      let time = attention.prefill(shape, work, peak: peak)
      return priced(work, time.total, compute: time.compute, memory: time.memory, start: time.start)
    case .elementwise:
      return streaming(work, rate: work.compute == .fp32 ? rates.vector.value : constants[.gemmCompute] * peak)
    case .recurrentScan: return streaming(work, rate: constants[.scanCompute] * peak)
    case .collective(let shape): return message(shape)
    }
  }

  /// Work that reads and writes once, with little arithmetic.
  private func streaming(_ work: Operator, rate: Double) -> OperatorPrice {
    let memory = work.traffic.total.value / (constants[.elementwiseMemory] * bandwidth.value)
    let compute = work.flops.value / rate
    let start = constants[.elementwiseStart]
    return priced(work, start + smoothMaximum(compute, memory), compute: compute, memory: memory, start: start)
  }

  /// Waiting for a message draws the static power.
  private func message(_ shape: CollectiveShape) -> OperatorPrice {
    let cost = collectives.time(shape)
    let power = constants[.powerStatic] * cap.value
    return OperatorPrice(
      time: Seconds(cost.total), energy: Joules(power * cost.total), bound: cost.time > cost.start ? .link : .start)
  }

  /// Peak of the arithmetic that an operator does, for its energy.
  private func energyRate(_ work: Operator) -> Double {
    let rate = (work.attention.map(rates.rate) ?? rates.rate(work.compute)).value
    return rate > 0 ? rate : rates.vector.value
  }

  private func priced(
    _ work: Operator, _ total: Double, compute: Double, memory: Double, start: Double
  ) -> OperatorPrice {
    let time = Seconds(total)
    return OperatorPrice(
      time: time, energy: energy(work, time), bound: bound(compute: compute, memory: memory, start: start))
  }

  // MARK: Energy

  /// Static power over the time, and a cost for each FLOP and byte, never above the board limit.
  ///
  /// The limit does not stretch the time here: calibrated efficiencies were measured on boards that hold it.
  private func energy(_ work: Operator, _ time: Seconds) -> Joules {
    let standing = constants[.powerStatic] * cap.value * time.value
    let compute = constants[.powerCompute] * cap.value * work.flops.value / energyRate(work)
    let memory = constants[.powerMemory] * cap.value * work.traffic.total.value / bandwidth.value
    return min(Joules(standing + compute + memory), cap * time)
  }

  private func bound(compute: Double, memory: Double, start: Double) -> Bound {
    if start > max(compute, memory) { return .start }
    return compute > memory ? .compute : .memory
  }
}
