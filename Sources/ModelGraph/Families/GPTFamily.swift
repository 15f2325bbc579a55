/// GPT-2, GPT-J and GPT-NeoX: LayerNorm, two-matrix feed-forward, one head group.
enum GPTFamily {
  static let family = ModelFamily(
    types: ["gpt2": "GPT2LMHeadModel", "gptj": "GPTJForCausalLM", "gpt_neox": "GPTNeoXForCausalLM"], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    switch configuration.architecture {
    case "gpt2": try gpt2(configuration)
    case "gptj": try gptj(configuration)
    default: try neox(configuration)
    }
  }

  private static func gpt2(_ configuration: Configuration) throws -> Model {
    try configuration.refuse("add_cross_attention")
    let hidden = try configuration.width("n_embd")
    let positions = try configuration.number("n_positions", Configuration.Limit.tokens)
    var attention = try attention(configuration, hidden: hidden)
    attention.queryKeyValueBias = true
    attention.outputBias = true
    attention.rotary = false
    let layer = Layer(
      mixers: [.attention(attention)], feedForward: try feedForward(configuration, hidden: hidden), norm: .layer)
    return try configuration.model(
      hidden: hidden,
      embedding: Embedding(tied: try configuration.tied(default: true), learnedPositions: positions),
      layers: Array(repeating: layer, count: try configuration.layerCount("n_layer")), finalNorm: .layer,
      contextLimit: positions)
  }

  /// One norm before both branches; no biases in attention, one in the head.
  private static func gptj(_ configuration: Configuration) throws -> Model {
    let hidden = try configuration.width("n_embd")
    let layer = Layer(
      mixers: [.attention(try attention(configuration, hidden: hidden))],
      feedForward: try feedForward(configuration, hidden: hidden), norm: .layer, normCount: 1, parallelResidual: true)
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false), headBias: true),
      layers: Array(repeating: layer, count: try configuration.layerCount("n_layer")), finalNorm: .layer,
      contextLimit: try configuration.contextLimit("n_positions"))
  }

  private static func neox(_ configuration: Configuration) throws -> Model {
    try configuration.checkActivation("hidden_act")
    let hidden = try configuration.width("hidden_size")
    var attention = try configuration.attention(hidden: hidden)
    let bias = try configuration.flag("attention_bias", default: true)
    attention.queryKeyValueBias = bias
    attention.outputBias = bias
    let layer = Layer(
      mixers: [.attention(attention)],
      feedForward: .dense(
        DenseFeedForward(width: try configuration.width("intermediate_size"), gated: false, bias: true)),
      norm: .layer, parallelResidual: try configuration.flag("use_parallel_residual", default: true))
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false)),
      layers: Array(repeating: layer, count: try configuration.layerCount()), finalNorm: .layer)
  }

  private static func attention(_ configuration: Configuration, hidden: Int) throws -> Attention {
    let heads = try configuration.heads("n_head")
    let width = try configuration.share(of: hidden, heads, "n_head")
    return Attention(queryHeads: heads, kvHeads: heads, headWidth: width)
  }

  private static func feedForward(_ configuration: Configuration, hidden: Int) throws -> FeedForward {
    try configuration.checkActivation("activation_function")
    let width = try configuration.optionalWidth("n_inner") ?? 4 * hidden
    return .dense(DenseFeedForward(width: width, gated: false, bias: true))
  }
}
