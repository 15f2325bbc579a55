import ModelGraph
import Quantities

/// The operators of a step, cut out of a model of one layer: the same code makes them that makes every prediction.
enum OperatorWork {
  /// A product, after a pass that quantises its inputs where the format is narrower than 16 bits.
  static func gemm(rows: Int, columns: Int, inner: Int, _ format: NumberFormat) throws -> [Operator] {
    let layer = Layer(mixers: [.linear(outputWidth: columns)], feedForward: nil, norm: .none)
    let graph = try graph(layer, hidden: inner, Plan(formats: formats(format)))
    let product = operators(graph, .decode(sequences: rows, context: 1, spans: graph.spans)) {
      $0.hasPrefix("linear_mixer")
    }
    return format.bits < 16 ? [quantizing(elements: Double(rows * inner), to: format)] + product : product
  }

  private static func quantizing(elements: Double, to format: NumberFormat) -> Operator {
    Operator(
      name: "quantize", kind: .elementwise(.activation), count: 1, flops: FLOPs(2 * elements),
      traffic: Traffic(activations: NumberFormat.bf16.size(of: elements) + format.size(of: elements)), compute: .fp32)
  }

  struct Heads {
    var query: Int
    var kv: Int
    var width: Int
    var cache: NumberFormat
  }

  static func decodeAttention(_ heads: Heads, sequences: Int, context: Int) throws -> [Operator] {
    let graph = try attention(heads)
    let step = StepShape.decode(sequences: sequences, context: context, spans: graph.spans)
    return operators(graph, step) { $0 == "attention_decode" }
  }

  static func prefillAttention(_ heads: Heads, sequences: Int, tokens: Int) throws -> [Operator] {
    let graph = try attention(heads)
    let step = StepShape.prefill(sequences: sequences, tokens: tokens, spans: graph.spans)
    return operators(graph, step) { $0 == "attention_prefill" }
  }

  private static func attention(_ heads: Heads) throws -> OperatorGraph {
    let attention = Attention(queryHeads: heads.query, kvHeads: heads.kv, headWidth: heads.width)
    let layer = Layer(mixers: [.attention(attention)], feedForward: nil, norm: .none)
    var formats = formats(.bf16)
    formats.kv = heads.cache
    return try graph(layer, hidden: heads.query * heads.width, Plan(formats: formats))
  }

  /// Attention of DeepSeek V3: 512 elements of latent and 64 of rotary for each token.
  static func latentAttention(
    heads: Int, cache: NumberFormat, _ step: (AttentionSpans) -> StepShape
  ) throws -> [Operator] {
    let latent = LatentAttention(
      heads: heads, queryRank: 1536, kvRank: 512, nopeWidth: 128, ropeWidth: 64, valueWidth: 128)
    let layer = Layer(mixers: [.latentAttention(latent)], feedForward: nil, norm: .none)
    var formats = formats(.bf16)
    formats.kv = cache
    let graph = try graph(layer, hidden: 7168, Plan(formats: formats))
    return operators(graph, step(graph.spans)) { $0.hasPrefix("attention_") || $0.hasSuffix("_absorb") }
  }

  struct Experts {
    var mixture: MixtureOfExperts
    var hidden: Int
    var tensor: Int
    var expert: Int
    var formats: Formats
    var routing: ExpertRouting
  }

  /// Permutation, the two products of each expert with the activation between them, and the sum.
  static func experts(_ experts: Experts, tokens: Int) throws -> [Operator] {
    let parallelism = Parallelism(tensor: experts.tensor * experts.expert, expert: experts.expert)
    let layer = Layer(mixers: [], feedForward: .mixture(experts.mixture), norm: .none)
    let plan = Plan(formats: experts.formats, parallelism: parallelism, routing: experts.routing)
    let graph = try graph(layer, hidden: experts.hidden, plan)
    return operators(graph, .decode(sequences: tokens, context: 1, spans: graph.spans)) {
      $0.hasPrefix("expert_") || $0 == "permute" || $0 == "unpermute"
    }
  }

  static func collective(_ kind: CollectiveShape.Kind, ranks: Int, bytes: Double) -> Operator {
    Operator(
      name: kind.rawValue,
      kind: .collective(CollectiveShape(kind: kind, ranks: ranks, message: Bytes(bytes))), count: 1, flops: .zero,
      traffic: Traffic(), compute: .bf16)
  }

  static func formats(_ format: NumberFormat) -> Formats {
    Formats(weights: format, activations: format, kv: .bf16, stream: .bf16)
  }

  private static func graph(_ layer: Layer, hidden: Int, _ plan: Plan) throws -> OperatorGraph {
    let model = Model(
      name: "one layer", architecture: "one layer", vocabulary: 1, hidden: hidden, decoder: Stack(layers: [layer]))
    return try OperatorGraph(model: model, plan: plan)
  }

  private static func operators(
    _ graph: OperatorGraph, _ step: StepShape, named wanted: (String) -> Bool
  ) -> [Operator] {
    graph.operators(for: step).filter { wanted($0.name) }
  }
}
