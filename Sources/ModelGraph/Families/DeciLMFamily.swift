import Documents

/// Models found by architecture search, whose layers differ: DeciLM (KV heads a layer) and Nemotron-NAS (blocks that
/// skip attention or replace it, each with its own feed-forward width).
enum DeciLMFamily {
  static let family = ModelFamily(
    types: ["deci": "DeciLMForCausalLM", "deci_lm": "DeciLMForCausalLM", "nemotron-nas": "DeciLMForCausalLM"],
    read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    try configuration.checkActivation("hidden_act")
    let hidden = try configuration.width("hidden_size")
    let blocks = configuration.fields.optional("block_configs") != nil
    let layers = try blocks ? blockLayers(configuration, hidden: hidden) : listedLayers(configuration, hidden: hidden)
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false)), layers: layers,
      finalNorm: .rms)
  }

  // MARK: DeciLM

  private static func listedLayers(_ configuration: Configuration, hidden: Int) throws -> [Layer] {
    let list = try configuration.fields.required("num_key_value_heads_per_layer")
    let counts = try list.array().map { try $0.int(in: Configuration.Limit.heads) }
    let count = try configuration.layerCount()
    guard counts.count == count else {
      throw list.error("has \(counts.count) entries, expected one for \(count) layers")
    }
    let feedForward = FeedForward.dense(
      DenseFeedForward(width: try configuration.width("intermediate_size"), gated: true))
    return try counts.map { groups in
      let attention = try attention(configuration, hidden: hidden, kvHeads: groups, at: list)
      return Layer(mixers: [.attention(attention)], feedForward: feedForward, norm: .rms)
    }
  }

  private static func attention(
    _ configuration: Configuration, hidden: Int, kvHeads: Int, at place: Node
  ) throws -> Attention {
    let heads = try configuration.heads("num_attention_heads")
    guard kvHeads > 0, heads % kvHeads == 0 else {
      throw place.error("gives \(kvHeads) KV heads, which do not divide the \(heads) attention heads")
    }
    let bias = try configuration.flag("attention_bias", default: false)
    let width = try configuration.optionalWidth("head_dim")
    return Attention(
      queryHeads: heads, kvHeads: kvHeads,
      headWidth: try width ?? configuration.share(of: hidden, heads, "num_attention_heads"), queryKeyValueBias: bias,
      outputBias: bias)
  }

  // MARK: Nemotron-NAS

  private static func blockLayers(_ configuration: Configuration, hidden: Int) throws -> [Layer] {
    let list = try configuration.fields.required("block_configs")
    let blocks = try list.array()
    let count = try configuration.layerCount()
    guard blocks.count == count else {
      throw list.error("has \(blocks.count) entries, expected one for \(count) layers")
    }
    return try blocks.map { block in
      let fields = try block.object()
      let mixer = try mixer(fields.required("attention"), configuration, hidden: hidden)
      let feedForward = try feedForward(fields.required("ffn"), configuration, hidden: hidden)
      return Layer(
        mixers: mixer.map { [$0] } ?? [], feedForward: feedForward, norm: .rms,
        normCount: (mixer == nil ? 0 : 1) + (feedForward == nil ? 0 : 1))
    }
  }

  private static func mixer(_ node: Node, _ configuration: Configuration, hidden: Int) throws -> Mixer? {
    let fields = try node.object()
    if try fields.optionalBool("no_op") ?? false { return nil }
    if try fields.optionalBool("replace_with_linear") ?? false { return .linear(outputWidth: hidden) }
    let group = try fields.int("n_heads_in_group", in: Configuration.Limit.heads)
    let heads = try configuration.heads("num_attention_heads")
    guard heads % group == 0 else {
      throw node.error("has \(group) heads in a group, which do not divide the \(heads) attention heads")
    }
    var attention = try attention(configuration, hidden: hidden, kvHeads: heads / group, at: node)
    attention.window = try fields.optionalInt("window_length", in: Configuration.Limit.tokens)
    return .attention(attention)
  }

  /// A linear replacement of a feed-forward network has no place in the model's types, so it is refused.
  private static func feedForward(_ node: Node, _ configuration: Configuration, hidden: Int) throws -> FeedForward? {
    let fields = try node.object()
    if try fields.optionalBool("no_op") ?? false { return nil }
    guard try !(fields.optionalBool("replace_with_linear") ?? false) else {
      throw node.error("replaces the network with a linear map, which is not understood here")
    }
    let factor = try fields.double("ffn_mult", in: 0.001...1_000)
    let bias = try configuration.flag("mlp_bias", default: false)
    return .dense(DenseFeedForward(width: width(hidden: hidden, factor: factor), gated: true, bias: bias))
  }

  /// Two thirds of the multiple of the hidden width, rounded up to 256.
  private static func width(hidden: Int, factor: Double) -> Int {
    let exact = Int(2 * factor * Double(hidden) / 3)
    return (exact + 255) / 256 * 256
  }
}
