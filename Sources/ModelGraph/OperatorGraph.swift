import Quantities

/// A model under a plan, ready to turn any step into the operators one device runs.
///
/// The one place where FLOPs, traffic and messages come from; time, energy and memory are derived from its output.
/// With pipeline parallelism the operators are those of the whole depth; ``stage(_:)`` gives those of one stage.
package struct OperatorGraph: Sendable {
  package let model: Model
  package private(set) var plan: Plan
  package let spans: AttentionSpans
  /// Layers of decoder and encoder, each kind once: equal layers cost the same wherever they stand.
  private var decoderRuns: [LayerRun]
  private let encoderRuns: [LayerRun]
  private var ends = Ends()

  /// What the operators contain beside layers.
  private struct Ends: Equatable {
    var front = true
    var hops = true
    var back = true
  }

  var formats: Formats { plan.formats }
  var parallelism: Parallelism { plan.parallelism }
  var hidden: Int { model.hidden }

  /// - Throws: ``PlanError`` or ``TooManyWindows`` when plan or model cannot be expressed.
  package init(model: Model, plan: Plan) throws {
    try plan.validate(for: model)
    self.model = model
    self.plan = plan
    spans = try AttentionSpans(of: model)
    decoderRuns = Self.merged(model.decoder.runs)
    encoderRuns = Self.merged(model.encoder?.runs ?? [])
  }

  private static func merged(_ runs: [LayerRun]) -> [LayerRun] {
    runs.reduce(into: []) { merged, run in
      if let index = merged.firstIndex(where: { $0.layer == run.layer }) {
        merged[index].count += run.count
      } else {
        merged.append(run)
      }
    }
  }

  /// The operators of one step, a layer's in execution order, equal layers merged by count.
  /// - Complexity: O(distinct layers).
  package func operators(for step: StepShape) -> [Operator] {
    var list: [Operator] = []
    list.reserveCapacity(20 * decoderRuns.count + 8)
    if step.encoderTokens > 0 {
      for run in encoderRuns { addEncoderLayer(run, step, to: &list) }
      rescope(&list, from: 0, as: .encoder)
    }
    guard step.tokens > 0 else { return list }
    if ends.front { addEmbedding(step, to: &list) }
    for run in decoderRuns { addLayer(run, step, to: &list) }
    if ends.hops { addPipelineHops(step, to: &list) }
    if ends.back { addHead(step, to: &list) }
    return list
  }

  // MARK: Stages

  /// The operators of one stage of the pipeline: its layers, with the token table at the first and the head at the last.
  /// Hops between stages belong to none.
  /// - Precondition: `index` is below the stages.
  package func stage(_ index: Int) -> OperatorGraph {
    let layers = parallelism.stages(of: model.decoder.layerCount)[index]
    var copy = self
    copy.decoderRuns = Self.merged(Self.part(of: model.decoder.runs, layers))
    copy.ends = Ends(front: index == 0, hops: false, back: index == parallelism.pipeline - 1)
    return copy
  }

  /// Whether every step has the same operators in both: equal stages of one model do.
  package func hasSameOperators(as other: OperatorGraph) -> Bool {
    decoderRuns == other.decoderRuns && ends == other.ends
  }

  /// The activations of a step on their way to the next stage; nothing without stages.
  package func stageHop(_ step: StepShape) -> Operator? {
    var list: [Operator] = []
    addPipelineHops(step, to: &list)
    return list.first.map { hop in
      var hop = hop
      hop.count = 1
      return hop
    }
  }

  private static func part(of runs: [LayerRun], _ layers: Range<Int>) -> [LayerRun] {
    var first = 0
    return runs.compactMap { run in
      defer { first += run.count }
      let count = layers.clamped(to: first..<first + run.count).count
      return count > 0 ? LayerRun(layer: run.layer, count: count) : nil
    }
  }

  // MARK: Ends of the stack

  func addEmbedding(_ step: StepShape, to list: inout [Operator]) {
    let elements = Double(step.tokens * hidden)
    list.append(
      elementwise(
        "embed_tokens", .embedding, count: 1,
        Traffic(weights: formats.storedHead.size(of: elements), activations: formats.stream.size(of: elements))))
    if let encoder = model.imageEncoder, step.finishedPrompts > 0 { addImageEncoder(encoder, step, to: &list) }
    addAllReduce("embed_all_reduce", rows: step.tokens, count: 1, to: &list)
    if let width = model.embedding.width, width != hidden {
      addGEMM("embed_project", rows: step.tokens, columns: hidden, inner: width, count: 1, to: &list)
    }
  }

  /// Images pass their encoder once; its matrices are as many columns as parameters make at a width of 1024.
  private func addImageEncoder(_ encoder: ImageEncoder, _ step: StepShape, to list: inout [Operator]) {
    let inner = 1024
    var work = gemm(
      "image_encoder", rows: encoder.tokens * step.finishedPrompts, columns: encoder.parameters.dividedUp(by: inner),
      inner: inner, count: 1, weights: formats.storedHead, input: formats.stream)
    work.traffic.activations = formats.stream.size(of: Double(encoder.tokens * step.finishedPrompts * inner))
    work.scope = .prefill
    list.append(work)
  }

  func addHead(_ step: StepShape, to list: inout [Operator]) {
    let rows = plan.promptLogits ? step.tokens : step.sampledTokens
    if let norm = model.decoder.finalNorm, norm != .none {
      addNorm("final_norm", norm, rows: step.tokens, count: 1, to: &list)
    }
    guard rows > 0 else { return }
    let first = list.count
    defer { rescope(&list, from: first, as: plan.promptLogits ? .tokens : .sampled) }
    let width = model.embedding.width ?? hidden
    if width != hidden {
      addGEMM("head_project", rows: rows, columns: width, inner: hidden, count: 1, to: &list)
    }
    let columns = model.vocabulary.dividedUp(by: parallelism.tensor)
    list.append(
      gemm(
        "lm_head", rows: rows, columns: columns, inner: width, count: 1, weights: formats.storedHead,
        input: formats.stream))
    guard parallelism.tensor > 1 else { return }
    list.append(
      collective(
        "logits_gather", .allGather, ranks: parallelism.tensor,
        message: formats.stream.size(of: Double(rows * columns)), count: 1))
  }

  private func addPipelineHops(_ step: StepShape, to list: inout [Operator]) {
    guard parallelism.pipeline > 1 else { return }
    list.append(
      collective(
        "stage_hop", .pointToPoint, ranks: parallelism.pipeline, stride: parallelism.tensor,
        message: formats.stream.size(of: Double(step.tokens * hidden)), count: parallelism.pipeline - 1))
  }

  // MARK: Layers

  func addLayer(_ run: LayerRun, _ step: StepShape, to list: inout [Operator]) {
    guard let own = run.layer.formats else { return addOwnLayer(run, step, to: &list) }
    var graph = self
    graph.plan.formats = own
    graph.addOwnLayer(run, step, to: &list)
  }

  /// A layer in this graph's formats.
  private func addOwnLayer(_ run: LayerRun, _ step: StepShape, to list: inout [Operator]) {
    let layer = run.layer
    guard layer.promptPasses == 1 else { return addPasses(run, step, to: &list) }
    guard layer.mixerPhases != layer.feedForwardPhases || layer.droppedTokens > 0 else {
      return addPart(layer.mixerPhases, of: run, step, to: &list) { step, list in
        addNorms(layer.normCount, run, step, to: &list)
        addMixers(run, step, to: &list)
        addNetwork(run, step, to: &list)
      }
    }
    let norms = layer.feedForward == nil ? layer.normCount : layer.normCount.dividedUp(by: 2)
    addPart(layer.mixerPhases, of: run, step, to: &list) { step, list in
      addNorms(norms, run, step, to: &list)
      addMixers(run, step, to: &list)
    }
    addPart(layer.feedForwardPhases, of: run, step, to: &list) { step, list in
      addNorms(layer.normCount - norms, run, step, to: &list)
      addNetwork(run, step, to: &list)
    }
  }

  /// A layer that prompts pass several times and answers once a token.
  private func addPasses(_ run: LayerRun, _ step: StepShape, to list: inout [Operator]) {
    var once = run
    once.layer.promptPasses = 1
    var again = once
    again.count *= run.layer.promptPasses
    for (part, phases) in [(once, Phases(prefill: false, decode: true)), (again, Phases(prefill: true, decode: false))]
    {
      addPart(phases, of: part, step, to: &list) { step, list in addOwnLayer(part, step, to: &list) }
    }
  }

  /// Adds what some phases run, with the tokens that reach the layer.
  private func addPart(
    _ phases: Phases, of run: LayerRun, _ step: StepShape, to list: inout [Operator],
    _ add: (StepShape, inout [Operator]) -> Void
  ) {
    let dropped = run.layer.droppedTokens
    guard phases != .both || dropped > 0 else { return add(step, &list) }
    let part = step.reaching(phases, dropped: dropped)
    guard part.tokens > 0 else { return }
    let first = list.count
    add(part, &list)
    guard phases.prefill != phases.decode else { return }
    rescope(&list, from: first, as: phases.prefill ? .prefill : .decode)
  }

  private func addNorms(_ norms: Int, _ run: LayerRun, _ step: StepShape, to list: inout [Operator]) {
    guard run.layer.norm != .none, norms > 0 else { return }
    addNorm("norm", run.layer.norm, rows: step.tokens, count: run.count * norms, to: &list)
  }

  private func addMixers(_ run: LayerRun, _ step: StepShape, to list: inout [Operator]) {
    let layer = run.layer
    for mixer in layer.mixers {
      switch mixer {
      case .attention(let attention): addAttention(attention, step, count: run.count, to: &list)
      case .latentAttention(let latent): addLatentAttention(latent, step, count: run.count, to: &list)
      case .recurrent(let recurrent): addRecurrent(recurrent, step, count: run.count, to: &list)
      case .linear(let width):
        addGEMM("linear_mixer", rows: step.tokens, columns: width, inner: hidden, count: run.count, to: &list)
      }
    }
    let mixes = !layer.mixers.isEmpty
    if mixes, !layer.parallelResidual || layer.feedForward == nil {
      addAllReduce("mixer_all_reduce", rows: step.tokens, count: run.count, to: &list)
    }
    if mixes { addResidual(rows: step.tokens, count: run.count, to: &list) }
    if let cross = layer.crossAttention {
      addCrossAttention(cross, step, count: run.count, to: &list)
      addResidual(rows: step.tokens, count: run.count, to: &list)
    }
  }

  private func addNetwork(_ run: LayerRun, _ step: StepShape, to list: inout [Operator]) {
    guard let feedForward = run.layer.feedForward else { return }
    addFeedForward(feedForward, step, count: run.count, to: &list)
    addResidual(rows: step.tokens, count: run.count, to: &list)
  }

  func addEncoderLayer(_ run: LayerRun, _ step: StepShape, to list: inout [Operator]) {
    addNorm(
      "encoder_norm", run.layer.norm, rows: step.encoderTokens, count: run.count * run.layer.normCount, to: &list)
    for case .attention(let attention) in run.layer.mixers {
      addEncoderAttention(attention, step, count: run.count, to: &list)
      addResidual(rows: step.encoderTokens, count: run.count, to: &list)
      addAllReduce("encoder_all_reduce", rows: step.encoderTokens, count: run.count, to: &list)
    }
    guard let feedForward = run.layer.feedForward else { return }
    var tokens = StepShape()
    tokens.prefillTokens = step.encoderTokens
    addFeedForward(feedForward, tokens, count: run.count, to: &list)
  }

  // MARK: Building blocks

  /// Marks the operators from a position on as depending on one part of the step.
  func rescope(_ list: inout [Operator], from first: Int, as scope: Operator.Scope) {
    for index in first..<list.count { list[index].scope = scope }
  }

  /// A projection of the plan's formats; narrow weights are expanded on the way in.
  /// - Parameter matrices: Weights of the model that it stands for, which some libraries multiply one by one.
  func addGEMM(
    _ name: String, rows: Int, columns: Int, inner: Int, count: Int, matrices: Int = 1, to list: inout [Operator]
  ) {
    addGEMM(
      name, rows: rows, columns: columns, inner: inner, count: count, matrices: matrices, scope: .all, sequences: rows,
      to: &list)
  }

  /// - Parameters:
  ///   - scope: Whether the projection belongs to a feed-forward network.
  ///   - sequences: Sequences the rows belong to, for neurons that a sequence's tokens have in common.
  func addGEMM(
    _ name: String, rows: Int, columns: Int, inner: Int, count: Int, matrices: Int = 1, scope: SparsityScope,
    sequences: Int, to list: inout [Operator]
  ) {
    guard rows > 0, columns > 0, inner > 0 else { return }
    let first = list.count
    defer { for index in first..<list.count { list[index].launches = plan.kernels.launches(projections: matrices) } }
    let details = formats.details
    let grown = details.innerGrowth == 1 ? inner : Int((Double(inner) * details.innerGrowth).rounded(.up))
    if details.quantizesInputs { addQuantization(rows: rows, inner: grown, count: count, to: &list) }
    if formats.storedWeights.expandsFirst {
      addExpansion(name, elements: Double(columns) * Double(grown), count: count, to: &list)
    }
    var work = gemm(
      name, rows: rows, columns: columns, inner: grown, count: count,
      weights: formats.storedWeights.expandsFirst ? StoredFormat(formats.stream) : formats.storedWeights,
      input: formats.activations)
    if let planes = details.planes { takeApart(&work, planes, rows: rows, columns: columns) }
    if let sparse = plan.weightSparsity, sparse.scope == .all || scope == .feedForward { prune(&work, sparse) }
    if let sparse = plan.activationSparsity, sparse.scope == .all || scope == .feedForward {
      let share = sparse.union(of: sparse.sharing == .token ? rows : sequences)
      work.traffic.weights = work.traffic.weights * min(1, share / sparse.granularity)
      work.flops = work.flops * share
      work.vectorWork = work.vectorWork * share
    }
    list.append(work)
  }

  /// Binary products of every pair of bits, added up on vector units.
  private func takeApart(_ work: inout Operator, _ planes: BitPlanes, rows: Int, columns: Int) {
    work.flops = work.flops * Double(planes.count)
    work.vectorWork += FLOPs(2 * Double(rows * columns * planes.count))
    work.compute = .int1
  }

  private func prune(_ work: inout Operator, _ sparse: WeightSparsity) {
    let bits = formats.storedWeights.expandsFirst ? formats.stream.bits : formats.storedWeights.bits
    work.traffic.weights = work.traffic.weights * (sparse.density * (bits + sparse.indexBits) / bits)
    work.flops = work.flops * sparse.computeShare
    work.vectorWork = work.vectorWork * sparse.density
  }

  /// Scales are found and values narrowed in one pass, after a fast Hadamard transform where inputs are rotated.
  private func addQuantization(rows: Int, inner: Int, count: Int, to list: inout [Operator]) {
    let elements = Double(rows) * Double(inner)
    let traffic = Traffic(activations: formats.stream.size(of: elements) + formats.activations.size(of: elements))
    let turns = formats.details.rotatesInputs ? PowerOfTwo.exponent(inner) : 0
    var work = elementwise("quantize", .permutation, count: count, traffic)
    work.flops = FLOPs(elements * Double(3 + turns))
    list.append(work)
  }

  private func addExpansion(_ name: String, elements: Double, count: Int, to list: inout [Operator]) {
    let stored = formats.storedWeights
    let traffic = Traffic(weights: stored.size(of: elements), activations: formats.stream.size(of: elements))
    var work = elementwise(name + "_expand", .permutation, count: count, traffic)
    work.flops = FLOPs(elements * stored.expansion)
    list.append(work)
  }

  func gemm(
    _ name: String, rows: Int, columns: Int, inner: Int, count: Int, weights: StoredFormat, input: NumberFormat
  ) -> Operator {
    let activations = input.size(of: Double(rows * inner)) + formats.stream.size(of: Double(rows * columns))
    let elements = Double(columns) * Double(inner)
    var work = Operator(
      name: name, kind: .gemm(GEMMShape(rows: rows, columns: columns, inner: inner)), count: count,
      flops: FLOPs(2 * Double(rows) * elements),
      traffic: Traffic(weights: weights.size(of: elements), activations: activations),
      compute: input.arithmetic)
    work.vectorWork = FLOPs(elements * weights.expansion)
    return work
  }

  func elementwise(
    _ name: String, _ kind: ElementwiseKind, count: Int, _ traffic: Traffic,
    flopsPerElement: Double = 1
  ) -> Operator {
    let elements = traffic.activations.value * 8 / formats.stream.bits
    return Operator(
      name: name, kind: .elementwise(kind), count: count, flops: FLOPs(elements * flopsPerElement), traffic: traffic,
      compute: .fp32)
  }

  /// A norm with the residual addition that runtimes fuse into it, or the passes that a library makes of it.
  func addNorm(_ name: String, _ norm: Norm, rows: Int, count: Int, to list: inout [Operator]) {
    guard rows > 0, count > 0 else { return }
    let cost = plan.kernels.norm(norm)
    let traffic = Traffic(
      weights: formats.stream.size(of: Double(hidden)),
      activations: cost.bytes(of: Double(rows) * Double(hidden), stream: formats.stream))
    var work = elementwise(name, .norm, count: count, traffic, flopsPerElement: 2)
    work.launches = cost.launches
    list.append(work)
  }

  /// The addition to the residual stream, where no norm takes it in: two reads and a write.
  func addResidual(rows: Int, count: Int, to list: inout [Operator]) {
    guard plan.kernels.runs(.residual), rows > 0, count > 0 else { return }
    let elements = 3 * Double(rows) * Double(hidden)
    list.append(
      elementwise("residual", .residual, count: count, Traffic(activations: formats.stream.size(of: elements))))
  }

  func addAllReduce(_ name: String, rows: Int, count: Int, to list: inout [Operator]) {
    guard parallelism.tensor > 1, rows > 0 else { return }
    let message = formats.stream.size(of: Double(rows) * Double(hidden))
    list.append(collective(name, .allReduce, ranks: parallelism.tensor, message: message, count: count))
  }

  func collective(
    _ name: String, _ kind: CollectiveShape.Kind, ranks: Int, stride: Int = 1, message: Bytes, count: Int
  ) -> Operator {
    Operator(
      name: name, kind: .collective(CollectiveShape(kind: kind, ranks: ranks, stride: stride, message: message)),
      count: count,
      flops: .zero, traffic: Traffic(), compute: formats.stream)
  }
}

extension Int {
  /// The quotient, rounded up.
  package func dividedUp(by divisor: Int) -> Int { (self + divisor - 1) / divisor }
}

enum PowerOfTwo {
  /// The least exponent whose power of two is not below a number.
  static func exponent(_ number: Int) -> Int { number <= 1 ? 0 : Int.bitWidth - (number - 1).leadingZeroBitCount }
}
