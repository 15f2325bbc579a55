/// MiniMax-Text-01 and M1 (lightning attention with a softmax layer now and then) and M2 (softmax only).
enum MiniMaxFamily {
  static let family = ModelFamily(
    types: [
      "minimax": "MiniMaxForCausalLM", "minimax_text_01": "MiniMaxText01ForCausalLM",
      "minimax_m1": "MiniMaxM1ForCausalLM", "minimax_m2": "MiniMaxM2ForCausalLM",
    ], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    try configuration.checkActivation("hidden_act")
    let second = try isSecondGeneration(configuration)
    let hidden = try configuration.width("hidden_size")
    var attention = try configuration.attention(hidden: hidden, kvHeads: 8)
    if try second && configuration.flag("use_qk_norm", default: true) { attention.queryKeyNorm = .wholeProjection }
    let lightning = try lightning(configuration, attention, hidden: hidden)
    let mixture = FeedForward.mixture(try mixture(configuration, balanced: second))
    let layers = try softmaxLayers(configuration, all: second).map { softmax in
      Layer(mixers: [softmax ? .attention(attention) : lightning], feedForward: mixture, norm: .rms)
    }
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false)), layers: layers,
      finalNorm: .rms)
  }

  /// M2 was first published under the first generation's `model_type`, with its own class.
  private static func isSecondGeneration(_ configuration: Configuration) throws -> Bool {
    if configuration.architecture == "minimax_m2" { return true }
    return try configuration.fields.optionalStrings("architectures").first == "MiniMaxM2ForCausalLM"
  }

  /// Whether each layer is a softmax one: `layer_types`, or `attn_type_list` with 0 for lightning and 1 for softmax.
  private static func softmaxLayers(_ configuration: Configuration, all: Bool) throws -> [Bool] {
    let count = try configuration.layerCount()
    let known = ["full_attention", "linear_attention"]
    if let types = try configuration.layerTypes(count: count, among: known) { return types.map { $0 == known[0] } }
    let marks = try configuration.numbers("attn_type_list", in: 0...1)
    guard !marks.isEmpty else {
      // The library's default: lightning and softmax by turns, beginning with softmax at layer 1.
      return (0..<count).map { all || $0 % 2 == 1 }
    }
    guard marks.count == count else {
      throw configuration.error("attn_type_list", "has \(marks.count) entries, expected one for \(count) layers")
    }
    return marks.map { $0 == 1 }
  }

  /// Lightning attention: every head keeps a matrix of key width by value width, decayed and added to.
  private static func lightning(_ configuration: Configuration, _ shape: Attention, hidden: Int) throws -> Mixer {
    let width = shape.queryHeads * shape.headWidth
    let state = width * shape.headWidth
    return .recurrent(
      Recurrent(
        kind: .lightning,
        projections: [
          Projection(name: "qkv_proj", inputs: hidden, outputs: 3 * width),
          Projection(name: "output_gate", inputs: hidden, outputs: width),
          Projection(name: "out_proj", inputs: width, outputs: hidden),
        ],
        stateElements: state, scanFLOPsPerToken: Recurrent.decayAddRead * state, extraParameters: width,
        heads: shape.queryHeads, chunk: try configuration.number("block_size", 1...65_536, 256)))
  }

  private static func mixture(_ configuration: Configuration, balanced: Bool) throws -> MixtureOfExperts {
    let experts = try configuration.experts("num_local_experts")
    let shared = try configuration.number("shared_intermediate_size", 0...262_144, 0)
    let routingBias = try balanced && configuration.flag("use_routing_bias", default: true)
    return MixtureOfExperts(
      experts: experts, expertsPerToken: try configuration.expertsPerToken("num_experts_per_tok", of: experts),
      expertWidth: try configuration.width("intermediate_size"),
      shared: shared == 0 ? nil : DenseFeedForward(width: shared, gated: true),
      routerExtraParameters: routingBias ? experts : 0)
  }
}
