import Quantities

/// A model under a plan, ready to turn any step into the operators one device runs.
///
/// The one place where FLOPs, traffic and messages come from; time, energy and memory are derived from its output.
/// With pipeline parallelism the operators are those of the whole depth; whoever schedules them splits them by stage.
package struct OperatorGraph: Sendable {
  package let model: Model
  package let plan: Plan
  package let spans: AttentionSpans
  /// Layers of decoder and encoder, each kind once: equal layers cost the same wherever they stand.
  private let decoderRuns: [LayerRun]
  private let encoderRuns: [LayerRun]

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
    addEmbedding(step, to: &list)
    for run in decoderRuns { addLayer(run, step, to: &list) }
    addPipelineHops(step, to: &list)
    addHead(step, to: &list)
    return list
  }

  // MARK: Ends of the stack

  func addEmbedding(_ step: StepShape, to list: inout [Operator]) {
    let elements = Double(step.tokens * hidden)
    list.append(
      elementwise(
        "embed_tokens", .embedding, count: 1,
        Traffic(weights: formats.head.size(of: elements), activations: formats.stream.size(of: elements))))
    addAllReduce("embed_all_reduce", rows: step.tokens, count: 1, to: &list)
    if let width = model.embedding.width, width != hidden {
      addGEMM("embed_project", rows: step.tokens, columns: hidden, inner: width, count: 1, to: &list)
    }
  }

  func addHead(_ step: StepShape, to list: inout [Operator]) {
    let rows = step.sampledTokens
    if let norm = model.decoder.finalNorm, norm != .none {
      addNorm("final_norm", rows: step.tokens, count: 1, to: &list)
    }
    guard rows > 0 else { return }
    let first = list.count
    defer { rescope(&list, from: first, as: .sampled) }
    let width = model.embedding.width ?? hidden
    if width != hidden {
      addGEMM("head_project", rows: rows, columns: width, inner: hidden, count: 1, to: &list)
    }
    let columns = model.vocabulary.dividedUp(by: parallelism.tensor)
    list.append(
      gemm(
        "lm_head", rows: rows, columns: columns, inner: width, count: 1, weights: formats.head, input: formats.stream))
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
    let layer = run.layer
    if layer.norm != .none, layer.normCount > 0 {
      addNorm("norm", rows: step.tokens, count: run.count * layer.normCount, to: &list)
    }
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
    if let cross = layer.crossAttention { addCrossAttention(cross, step, count: run.count, to: &list) }
    guard let feedForward = layer.feedForward else { return }
    addFeedForward(feedForward, rows: step.tokens, count: run.count, to: &list)
  }

  func addEncoderLayer(_ run: LayerRun, _ step: StepShape, to list: inout [Operator]) {
    addNorm("encoder_norm", rows: step.encoderTokens, count: run.count * run.layer.normCount, to: &list)
    for case .attention(let attention) in run.layer.mixers {
      addEncoderAttention(attention, step, count: run.count, to: &list)
      addAllReduce("encoder_all_reduce", rows: step.encoderTokens, count: run.count, to: &list)
    }
    guard let feedForward = run.layer.feedForward else { return }
    addFeedForward(feedForward, rows: step.encoderTokens, count: run.count, to: &list)
  }

  // MARK: Building blocks

  /// Marks the operators from a position on as depending on one part of the step.
  func rescope(_ list: inout [Operator], from first: Int, as scope: Operator.Scope) {
    for index in first..<list.count { list[index].scope = scope }
  }

  /// A projection of the plan's formats; narrow weights are expanded on the way in.
  func addGEMM(_ name: String, rows: Int, columns: Int, inner: Int, count: Int, to list: inout [Operator]) {
    guard rows > 0, columns > 0, inner > 0 else { return }
    list.append(
      gemm(
        name, rows: rows, columns: columns, inner: inner, count: count, weights: formats.weights,
        input: formats.activations))
  }

  func gemm(
    _ name: String, rows: Int, columns: Int, inner: Int, count: Int, weights: NumberFormat, input: NumberFormat
  ) -> Operator {
    let activations = input.size(of: Double(rows * inner)) + formats.stream.size(of: Double(rows * columns))
    return Operator(
      name: name, kind: .gemm(GEMMShape(rows: rows, columns: columns, inner: inner)), count: count,
      flops: FLOPs(2 * Double(rows) * Double(columns) * Double(inner)),
      traffic: Traffic(weights: weights.size(of: Double(columns) * Double(inner)), activations: activations),
      compute: input.arithmetic)
  }

  func elementwise(
    _ name: String, _ kind: ElementwiseKind, count: Int, _ traffic: Traffic, flopsPerElement: Double = 1
  ) -> Operator {
    let elements = traffic.activations.value * 8 / formats.stream.bits
    return Operator(
      name: name, kind: .elementwise(kind), count: count, flops: FLOPs(elements * flopsPerElement), traffic: traffic,
      compute: .fp32)
  }

  /// A norm with the residual addition that runtimes fuse into it: two reads and two writes of the stream.
  func addNorm(_ name: String, rows: Int, count: Int, to list: inout [Operator]) {
    guard rows > 0, count > 0 else { return }
    let traffic = Traffic(
      weights: formats.stream.size(of: Double(hidden)),
      activations: formats.stream.size(of: 4 * Double(rows) * Double(hidden)))
    list.append(elementwise(name, .norm, count: count, traffic, flopsPerElement: 2))
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
