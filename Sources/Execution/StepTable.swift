import CostModels
import ModelGraph
import Quantities

/// Prices the steps of a serving engine in tens of nanoseconds.
///
/// Operators that depend on a token count alone are priced once for each count, when it first occurs. Attention is
/// priced by the same formulas as everywhere else, on an operator whose work is a linear function of the step's sums.
/// A step costs exactly what ``Deployment/price(_:)`` says, up to the order of additions.
package final class StepTable {
  package let deployment: Deployment
  package var spans: AttentionSpans { deployment.graph.spans }

  private var byTokens = CostColumn()
  private var bySampled = CostColumn()
  private var byDecodes = CostColumn()
  private let decodeOperators: [LinearOperator]
  private let prefillOperators: [LinearOperator]
  /// Whether prefill has operators that are neither tabulated nor linear.
  private let hasIrregularPrefill: Bool
  private let launches: LaunchCounts
  private let waitingPower: Watts
  private let devices: Double

  /// What a step takes and draws.
  package struct Cost: Sendable, Equatable {
    package var nanoseconds: Int64
    /// Energy of all devices of the replica.
    package var energy: Joules
  }

  /// - Throws: ``ReplayError`` for plans that the engine cannot replay yet.
  package init(_ deployment: Deployment) throws(ReplayError) {
    if deployment.parallelism.pipeline > 1 { throw .pipeline }
    if deployment.parallelism.data > 1 { throw .dataParallel }
    if deployment.model.encoder != nil { throw .encoder(model: deployment.model.name) }
    self.deployment = deployment
    decodeOperators = Self.linearOperators(deployment.graph, scope: .decode)
    prefillOperators = Self.linearOperators(deployment.graph, scope: .prefill)
    let mixed = deployment.graph.operators(for: Self.mixedStep(deployment.graph.spans))
    hasIrregularPrefill = mixed.contains { $0.scope == .prefill && !LinearOperator.canRepresent($0) }
    launches = LaunchCounts(mixed)
    waitingPower = deployment.pricer.constants[.powerStatic] * deployment.platform.device.power.cap
    devices = Double(deployment.parallelism.tensor)
  }

  /// The cost of a step.
  package func cost(_ step: StepShape) -> Cost {
    var part = tokens(step.tokens)
    part += sampled(step.sampledTokens)
    if step.decodeSequences > 0 {
      part += decodes(step.decodeSequences)
      for linear in decodeOperators { part += linear.cost(step, deployment.pricer) }
    }
    if step.prefillTokens > 0 {
      for linear in prefillOperators { part += linear.cost(step, deployment.pricer) }
      if hasIrregularPrefill { part += irregularPrefill(step) }
    }
    let device = Seconds(part.time)
    let host = deployment.hostTime(step, launches: launches.count(in: step), device: device)
    let energy = (Joules(part.energy) + waitingPower * host) * devices
    // Beyond the clock's 292 years the engine refuses the step.
    let nanoseconds = Int64(exactly: ((device + host).value * 1e9).rounded()) ?? Int64.max
    return Cost(nanoseconds: nanoseconds, energy: energy)
  }

  // MARK: Tabulated parts

  private func tokens(_ count: Int) -> PartCost {
    byTokens.cost(at: count) { price(.tokens, Self.decodeStep(sequences: count, context: 0)) }
  }

  private func sampled(_ count: Int) -> PartCost {
    guard count > 0 else { return PartCost() }
    return bySampled.cost(at: count) { price(.sampled, Self.decodeStep(sequences: count, context: 0)) }
  }

  private func decodes(_ count: Int) -> PartCost {
    byDecodes.cost(at: count) {
      price(.decode, Self.decodeStep(sequences: count, context: 0)) { !LinearOperator.canRepresent($0) }
    }
  }

  private func irregularPrefill(_ step: StepShape) -> PartCost {
    var prefillOnly = step
    prefillOnly.decodeSequences = 0
    return price(.prefill, prefillOnly) { !LinearOperator.canRepresent($0) }
  }

  private func price(
    _ scope: Operator.Scope, _ step: StepShape, where included: (Operator) -> Bool = { _ in true }
  ) -> PartCost {
    var part = PartCost()
    for work in deployment.graph.operators(for: step) where work.scope == scope && included(work) {
      part += PartCost(deployment.pricer.price(work), count: work.count)
    }
    return part
  }

  // MARK: Probing the graph

  private static func decodeStep(sequences: Int, context: Double) -> StepShape {
    var step = StepShape()
    step.decodeSequences = sequences
    step.decodeContext = SpanSums(repeating: context)
    return step
  }

  private static func mixedStep(_ spans: AttentionSpans) -> StepShape {
    var step = decodeStep(sequences: 1, context: 1)
    step.addPrefill(sequences: 1, tokens: 1, start: 0, last: true, spans: spans)
    return step
  }

  private static func linearOperators(_ graph: OperatorGraph, scope: Operator.Scope) -> [LinearOperator] {
    func probe(_ change: (inout StepShape) -> Void) -> [Operator] {
      var step = StepShape()
      if scope == .decode { step.decodeSequences = 1 } else { step.prefillTokens = 1 }
      change(&step)
      return graph.operators(for: step).filter { $0.scope == scope && LinearOperator.canRepresent($0) }
    }
    let base = probe { _ in }
    let pairs = (0..<4).map { lane in
      probe { if scope == .decode { $0.decodeContext[lane] = 1 } else { $0.prefillPairs[lane] = 1 } }
    }
    let keys = (0..<4).map { lane in probe { $0.prefillKeys[lane] = 1 } }
    return base.indices.map { index in
      LinearOperator(base: base[index], pairs: pairs.map { $0[index] }, keys: keys.map { $0[index] }, scope: scope)
    }
  }
}

/// Time and energy of part of a step on one device.
struct PartCost {
  var time = 0.0
  var energy = 0.0

  init() {}

  init(_ price: OperatorPrice, count: Int) {
    time = price.time.value * Double(count)
    energy = price.energy.value * Double(count)
  }

  static func += (a: inout PartCost, b: PartCost) {
    a.time += b.time
    a.energy += b.energy
  }
}

/// Kernels that each part of a step launches; a part's sizes don't change their number.
private struct LaunchCounts {
  private var tokens = 0
  private var sampled = 0
  private var decode = 0
  private var prefill = 0

  /// - Parameter operators: Those of a step that has every part.
  init(_ operators: [Operator]) {
    for work in operators {
      switch work.scope {
      case .tokens: tokens += work.count
      case .sampled: sampled += work.count
      case .decode: decode += work.count
      case .prefill: prefill += work.count
      case .encoder: break
      }
    }
  }

  func count(in step: StepShape) -> Int {
    tokens + (step.sampledTokens > 0 ? sampled : 0) + (step.decodeSequences > 0 ? decode : 0)
      + (step.prefillTokens > 0 ? prefill : 0)
  }
}

/// Costs by a count, each computed when first asked for.
private struct CostColumn {
  private var costs: [PartCost?] = []

  mutating func cost(at count: Int, compute: () -> PartCost) -> PartCost {
    if count < costs.count, let known = costs[count] { return known }
    if count >= costs.count { costs.append(contentsOf: repeatElement(nil, count: count - costs.count + 64)) }
    let cost = compute()
    costs[count] = cost
    return cost
  }
}

/// An operator whose FLOPs and traffic are linear in a step's sums: attention and what scores or streams with it.
private struct LinearOperator {
  private let template: Operator
  private let isDecode: Bool
  /// FLOPs and bytes for one token, and for one attended pair (and one key read) by span.
  private let flopsPerToken: Double
  private let bytesPerToken: Double
  /// Bytes a token adds to the cache, which are part of those.
  private let writtenPerToken: Double
  private let flopsPerPair: SpanSums
  private let bytesPerPair: SpanSums
  private let flopsPerKey: SpanSums
  private let bytesPerKey: SpanSums

  static func canRepresent(_ work: Operator) -> Bool {
    switch work.kind {
    case .decodeAttention, .prefillAttention, .elementwise: true
    case .gemm, .expertGEMM, .recurrentScan, .collective: false
    }
  }

  init(base: Operator, pairs: [Operator], keys: [Operator], scope: Operator.Scope) {
    template = base
    isDecode = scope == .decode
    flopsPerToken = base.flops.value
    bytesPerToken = base.traffic.total.value
    writtenPerToken = base.traffic.kvWritten.value
    func slope(_ probes: [Operator], _ value: (Operator) -> Double) -> SpanSums {
      SpanSums(probes.map { value($0) - value(base) })
    }
    flopsPerPair = slope(pairs) { $0.flops.value }
    bytesPerPair = slope(pairs) { $0.traffic.total.value }
    flopsPerKey = slope(keys) { $0.flops.value }
    bytesPerKey = slope(keys) { $0.traffic.total.value }
  }

  func cost(_ step: StepShape, _ pricer: OperatorPricer) -> PartCost {
    var work = template
    let pairs = isDecode ? step.decodeContext : step.prefillPairs
    let tokens = Double(isDecode ? step.decodeSequences : step.prefillTokens)
    work.flops = FLOPs(tokens * flopsPerToken + (pairs * flopsPerPair).sum() + (step.prefillKeys * flopsPerKey).sum())
    let bytes = tokens * bytesPerToken + (pairs * bytesPerPair).sum() + (step.prefillKeys * bytesPerKey).sum()
    let written = tokens * writtenPerToken
    work.traffic = ModelGraph.Traffic(kvRead: Bytes(bytes - written), kvWritten: Bytes(written))
    switch template.kind {
    case .decodeAttention(var shape):
      shape.sequences = step.decodeSequences
      work.kind = .decodeAttention(shape)
    case .prefillAttention(var shape):
      shape.sequences = step.prefillSequences
      shape.tokens = step.prefillTokens
      work.kind = .prefillAttention(shape)
    case .gemm, .expertGEMM, .elementwise, .recurrentScan, .collective: break
    }
    return PartCost(pricer.price(work), count: work.count)
  }
}

/// Plans that can be predicted but not replayed.
package enum ReplayError: Error, CustomStringConvertible, Sendable {
  case pipeline
  case dataParallel
  case encoder(model: String)

  package var description: String {
    switch self {
    case .pipeline: "pipeline parallelism cannot be replayed yet; use --tp, or 'predict' for a static batch"
    case .dataParallel: "one replica is replayed, so --dp must be 1"
    case .encoder(let model): "\(model) has an encoder, which cannot be replayed yet; 'predict' prices it"
    }
  }
}
