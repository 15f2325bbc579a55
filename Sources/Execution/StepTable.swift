import CostModels
import ModelGraph
import Quantities

/// Prices the steps of a serving engine in tens of nanoseconds.
///
/// Operators that depend on a token count alone are priced once for each count, when it first occurs. Attention is
/// priced by the same formulas as everywhere else, on an operator whose work is a linear function of the step's sums.
/// A step costs exactly what ``Deployment/price(_:)`` says, up to the order of additions: with pipeline stages, its way
/// through all of them. What a replica with stages does is priced by ``StagedCosts``.
package final class StepTable {
  package let deployment: Deployment
  package var spans: AttentionSpans { deployment.graph.spans }

  // One engine owns a table and asks one thing at a time, so exclusivity need not be checked on every access.
  @exclusivity(unchecked) private var byTokens = CostColumn()
  @exclusivity(unchecked) private var bySampled = CostColumn()
  @exclusivity(unchecked) private var byDecodes = CostColumn()
  @exclusivity(unchecked) private var byPrompt = CostColumn()
  /// Longest prompt whose cost is kept: 16 bytes each.
  private static let longestKept = 1 << 16
  private let decodeOperators: [LinearOperator]
  private let prefillOperators: [LinearOperator]
  /// Whether prefill has operators that are neither tabulated nor linear.
  private let hasIrregularPrefill: Bool
  private let launches: LaunchCounts
  private let host: HostTime
  private let pricer: OperatorPricer
  private let waitingPower: Watts
  private let devices: Double

  /// Decode steps alone, and the decodes' own operators in steps that have prompts too.
  @exclusivity(unchecked) private var curves = DecodeCurves()
  @exclusivity(unchecked) private var sharedCurves = DecodeCurves()
  /// Board power that all devices of the replica together may draw; steps that would exceed it take longer.
  private let powerCap: Watts?
  /// Power that the cases of all devices together get rid of; steps that draw more wait until it is gone.
  private let sustained: Watts?

  /// What a step takes and draws, in whole units so that sums are exact.
  package struct Cost: Sendable, Equatable {
    package var picoseconds: Int64
    /// Energy of all devices of the replica.
    package var nanojoules: Int64

    package init(picoseconds: Int64, nanojoules: Int64) {
      self.picoseconds = picoseconds
      self.nanojoules = nanojoules
    }
  }

  /// What all devices draw while they wait in a step; a power cap must be above it.
  package var standingPower: Watts {
    deployment.placement?.standingPower ?? waitingPower * (devices * Double(waitingStages))
  }

  /// Stages whose devices wait while one works: all but in the table of a single stage.
  private let waitingStages: Int

  /// Whether decode steps are priced by curves, so that many can be taken at once.
  package let hasCurves: Bool
  /// Whether steps are scheduled over a machine; asked in every step, where the placement itself would be copied.
  private let isScheduled: Bool

  /// - Parameters:
  ///   - powerCap: Board power of all devices together that steps are stretched to stay under.
  ///   - sustained: Power on average that steps wait to stay under, once a case is hot.
  ///   - perRank: Whether the table is of one data-parallel rank among others that step as it does, each with as much
  ///     to do; energy is then of the rank's devices alone.
  /// - Throws: ``ReplayError`` for plans that the engine cannot replay yet.
  package convenience init(
    _ deployment: Deployment, powerCap: Watts? = nil, sustained: Watts? = nil, perRank: Bool = false
  ) throws(ReplayError) {
    if deployment.parallelism.pipeline > 1, perRank { throw .pipeline }
    if deployment.parallelism.data > 1, !perRank { throw .dataParallel }
    if deployment.model.encoder != nil { throw .encoder(model: deployment.model.name) }
    self.init(
      deployment, powerCap: powerCap, sustained: sustained, host: HostTime(deployment),
      waitingStages: deployment.parallelism.pipeline)
  }

  /// The table of one stage of a pipeline.
  /// - Parameters:
  ///   - powerCap: Board power of the stage's devices together.
  ///   - sustained: The same of what their cases get rid of.
  convenience init(stage index: Int, of deployment: Deployment, powerCap: Watts?, sustained: Watts?) {
    var host = HostTime(deployment)
    if index > 0 { host.launchesOnly() }
    self.init(deployment.stage(index), powerCap: powerCap, sustained: sustained, host: host, waitingStages: 1)
  }

  private init(
    _ deployment: Deployment, powerCap: Watts?, sustained: Watts?, host: HostTime, waitingStages: Int
  ) {
    self.deployment = deployment
    self.waitingStages = waitingStages
    self.powerCap = powerCap
    self.sustained = sustained
    // A runtime that copies its cache passes from launches to copies within a piece of the curve, which then bends.
    hasCurves =
      deployment.graph.spans.isUniform && deployment.plan.cacheCopies == 0
      && deployment.plan.kernels.attention == .paged
    isScheduled = deployment.placement != nil
    if isScheduled { curves = DecodeCurves(piecesLog: 4) }
    decodeOperators = Self.linearOperators(deployment.graph, scope: .decode)
    prefillOperators = Self.linearOperators(deployment.graph, scope: .prefill)
    let mixed = deployment.graph.operators(for: Self.mixedStep(deployment.graph.spans))
    hasIrregularPrefill = mixed.contains { $0.scope == .prefill && !LinearOperator.canRepresent($0) }
    launches = LaunchCounts(mixed)
    self.host = host
    pricer = deployment.pricer
    waitingPower = deployment.pricer.constants[.powerStatic] * deployment.platform.device.power.cap
    devices = Double(deployment.parallelism.tensor)
  }

  /// The cost of a step: by the curves where they apply, exactly otherwise.
  package func cost(_ step: StepShape) -> Cost {
    if isScheduled { return curvedCost(step) }
    guard hasCurves, step.decodeSequences > 0, step.decodeQueries == 1 else { return exactCost(step) }
    let context = Int64(step.decodeContext[0])
    if step.prefillTokens == 0 { return piece(sequences: step.decodeSequences, context: context).cost(at: context) }
    return cost(
      step, decodes: PartCost(sharedPiece(sequences: step.decodeSequences, context: context).cost(at: context)))
  }

  private func sharedPiece(sequences: Int, context: Int64) -> DecodeCurves.Piece {
    sharedCurves.piece(sequences: sequences, context: context) { tokens in
      let part = decodePart(Self.decodeStep(sequences: sequences, context: Double(tokens)))
      return Cost(time: Seconds(part.time), energy: Joules(part.energy))
    }
  }

  /// The price that ``Deployment/price(_:)`` gives, stretched where it would exceed the power cap.
  package func exactCost(_ step: StepShape) -> Cost {
    if isScheduled { return scheduledCost(step) }
    return cost(step, decodes: decodePart(step))
  }

  /// A scheduled step: decodes by curves whose pieces end at scheduled steps, others scheduled each.
  private func curvedCost(_ step: StepShape) -> Cost {
    guard hasCurves, step.decodeSequences > 0, step.decodeQueries == 1, step.prefillTokens == 0 else {
      return scheduledCost(step)
    }
    let context = Int64(step.decodeContext[0])
    return piece(sequences: step.decodeSequences, context: context).cost(at: context)
  }

  private func scheduledCost(_ step: StepShape) -> Cost {
    if let price = deployment.placement?.quickPrice(step) { return capped(time: price.time, energy: price.energy) }
    let price = deployment.price(step)
    return capped(time: price.time, energy: price.energy)
  }

  private func decodePart(_ step: StepShape) -> PartCost {
    guard step.decodeSequences > 0 else { return PartCost() }
    guard step.decodeQueries == 1 else { return price(.decode, step) }
    var part = decodes(step.decodeSequences)
    for index in decodeOperators.indices { part += decodeOperators[index].cost(step, pricer) }
    return part
  }

  private func cost(_ step: StepShape, decodes: PartCost) -> Cost {
    var part = tokens(step.tokens)
    part += sampled(step.sampledTokens)
    part += decodes
    if step.prefillTokens > 0 { part += step.isOneWholePrompt ? wholePrompt(step) : prefillPart(step) }
    let device = Seconds(part.time)
    let host = host.time(step, launches: launches.count(in: step), device: device)
    return capped(time: device + host, energy: (Joules(part.energy) + waitingPower * host) * devices)
  }

  /// Static power goes on while a step is stretched: the time at which power is the cap.
  private func capped(time: Seconds, energy: Joules) -> Cost {
    guard let powerCap else { return Cost(time: cooled(time, energy), energy: energy) }
    guard energy > powerCap * time else { return Cost(time: cooled(time, energy), energy: energy, under: powerCap) }
    let longer = Seconds((energy - standingPower * time).value / max(1e-9, (powerCap - standingPower).value))
    return Cost(time: cooled(longer, powerCap * longer), energy: powerCap * longer, under: powerCap)
  }

  /// A step of a hot case lasts until what it drew has been got rid of.
  private func cooled(_ time: Seconds, _ energy: Joules) -> Seconds {
    sustained.map { max(time, energy / $0) } ?? time
  }

  /// What devices that wait for a copy take and draw.
  package func copying(_ time: Seconds) -> Cost { Cost(time: time, energy: waitingPower * time * devices) }

  // MARK: Many decode steps

  private static let slowStep: Int64 = 1 << 50
  /// 13 days of picoseconds; a longer span is taken in parts.
  private static let longestSpan: Int64 = 1 << 60

  /// The decode steps that begin before `picoseconds` from now have passed, at least one and at most `limit`.
  /// - Parameter context: Tokens the first of them attends to, all sequences together.
  /// - Complexity: O(pieces of the curve crossed).
  package func span(sequences: Int, context: Int64, limit: Int, within picoseconds: Int64 = .max) -> DecodeSpan {
    var span = DecodeSpan()
    eachPiece(sequences: sequences, context: context, limit: limit) { times, energy in
      if span.steps == 0 { span.times = times }
      let room = picoseconds - span.picoseconds
      let count = times.sum < room ? times.count : times.stepsToReach(room)
      span.steps += count
      span.picoseconds += StepTimes(first: times.first, growth: times.growth, count: count).sum
      span.nanojoules += StepTimes(first: energy.first, growth: energy.growth, count: count).sum
      return span.picoseconds < min(picoseconds, Self.longestSpan)
    }
    return span
  }

  /// The times of decode steps in a row, as runs of equal growth.
  package func stepTimes(sequences: Int, context: Int64, steps: Int, _ body: (StepTimes) -> Void) {
    eachPiece(sequences: sequences, context: context, limit: steps) { times, _ in
      body(times)
      return true
    }
  }

  /// Visits the pieces that decode steps cross, each with the times and energies of the steps on it, until told to stop.
  private func eachPiece(
    sequences: Int, context: Int64, limit: Int, _ body: (StepTimes, StepTimes) -> Bool
  ) {
    let growth = Int64(sequences)
    var context = context
    var left = limit
    while left > 0 {
      let piece = piece(sequences: sequences, context: context)
      // Steps of a quarter of an hour and more are taken one by one: their sums could exceed the clock.
      let isSlow = piece.picoseconds > Self.slowStep
      let count = isSlow ? 1 : min(left, Int((piece.end - context + growth - 1) / growth))
      let tokens = context - piece.start
      let times = StepTimes(
        first: piece.picoseconds + piece.picosecondsPerToken * tokens, growth: piece.picosecondsPerToken * growth,
        count: count)
      let energy = StepTimes(
        first: piece.nanojoules + piece.nanojoulesPerToken * tokens, growth: piece.nanojoulesPerToken * growth,
        count: count)
      guard body(times, energy) else { return }
      left -= count
      context += growth * Int64(count)
    }
  }

  private func piece(sequences: Int, context: Int64) -> DecodeCurves.Piece {
    curves.piece(sequences: sequences, context: context, under: powerCap) { tokens in
      exactCost(Self.decodeStep(sequences: sequences, context: Double(tokens)))
    }
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

  /// The prompts' own operators.
  private func prefillPart(_ step: StepShape) -> PartCost {
    var part = PartCost()
    for index in prefillOperators.indices { part += prefillOperators[index].cost(step, pricer) }
    if hasIrregularPrefill { part += irregularPrefill(step) }
    return part
  }

  /// The commonest: one prompt from its first token to its last.
  private func wholePrompt(_ step: StepShape) -> PartCost {
    guard step.prefillTokens <= Self.longestKept else { return prefillPart(step) }
    if let known = byPrompt.known(at: step.prefillTokens) { return known }
    return byPrompt.keep(prefillPart(step), at: step.prefillTokens)
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
      part += PartCost(pricer.price(work), count: work.count)
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

extension StepTable.Cost {
  private static let most = 4e18

  /// Whether a step lasts longer than the clock can follow.
  package var isBeyondClock: Bool { picoseconds >= Int64(Self.most) }

  /// Rounded to whole units; what exceeds the clock becomes its end, which the engine refuses.
  init(time: Seconds, energy: Joules) {
    self.init(
      picoseconds: Int64(min(Self.most, time.value * 1e12) + 0.5),
      nanojoules: Int64(min(Self.most, energy.value * 1e9) + 0.5))
  }

  package mutating func add(_ other: StepTable.Cost) {
    picoseconds += other.picoseconds
    nanojoules += other.nanojoules
  }

  /// The same with no more energy than a power cap allows in the rounded time.
  init(time: Seconds, energy: Joules, under cap: Watts) {
    self.init(time: time, energy: energy)
    nanojoules = min(nanojoules, Self.nanojoules(in: picoseconds, under: cap))
  }

  /// The most whole nanojoules that a power cap allows in a time.
  static func nanojoules(in picoseconds: Int64, under cap: Watts) -> Int64 {
    Int64(min(Self.most, (cap.value * Double(picoseconds) / 1000).rounded(.down)))
  }

  package var time: Seconds { Seconds(Double(picoseconds) / 1e12) }
  package var energy: Joules { Joules(Double(nanojoules) / 1e9) }
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

  init(_ cost: StepTable.Cost) {
    time = Double(cost.picoseconds) / 1e12
    energy = Double(cost.nanojoules) / 1e9
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
      case .tokens: tokens += work.allLaunches
      case .sampled: sampled += work.allLaunches
      case .decode: decode += work.allLaunches
      case .prefill: prefill += work.allLaunches
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

  @inline(__always)
  mutating func cost(at count: Int, compute: () -> PartCost) -> PartCost {
    known(at: count) ?? keep(compute(), at: count)
  }

  @inline(__always)
  func known(at count: Int) -> PartCost? { count < costs.count ? costs[count] : nil }

  mutating func keep(_ cost: PartCost, at count: Int) -> PartCost {
    if count >= costs.count { costs.append(contentsOf: repeatElement(nil, count: count - costs.count + 64)) }
    costs[count] = cost
    return cost
  }
}

/// An operator whose FLOPs and traffic are linear in a step's sums: attention and what scores or streams with it. Not
/// copied where it is looked up: it is large.
private final class LinearOperator {
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
  /// Vector operations that expand what is read for one pair.
  private let vectorPerPair: SpanSums

  static func canRepresent(_ work: Operator) -> Bool {
    switch work.kind {
    case .decodeAttention, .prefillAttention, .elementwise: true
    case .gemm, .expertGEMM, .recurrentScan, .collective: false
    }
  }

  init(base: Operator, pairs: [Operator], keys: [Operator], scope: Operator.Scope) {
    var template = base
    // A name would be counted on every copy.
    template.name = ""
    self.template = template
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
    vectorPerPair = slope(pairs) { $0.vectorWork.value }
    bytesPerKey = slope(keys) { $0.traffic.total.value }
  }

  func cost(_ step: StepShape, _ pricer: OperatorPricer) -> PartCost {
    var work = template
    let pairs = isDecode ? step.decodeContext : step.prefillPairs
    let tokens = Double(isDecode ? step.decodeSequences : step.prefillTokens)
    work.flops = FLOPs(tokens * flopsPerToken + (pairs * flopsPerPair).sum() + (step.prefillKeys * flopsPerKey).sum())
    let bytes = tokens * bytesPerToken + (pairs * bytesPerPair).sum() + (step.prefillKeys * bytesPerKey).sum()
    work.vectorWork = FLOPs((pairs * vectorPerPair).sum())
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
    case .pipeline: "pipeline stages and data parallelism cannot be replayed together; use one of --pp and --dp"
    case .dataParallel: "one replica is replayed, so --dp must be 1"
    case .encoder(let model): "\(model) has an encoder, which cannot be replayed yet; 'predict' prices it"
    }
  }
}
