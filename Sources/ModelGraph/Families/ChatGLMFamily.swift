/// ChatGLM 2 and 3 and GLM-4-9B as first published, under their own key names.
enum ChatGLMFamily {
  static let family = ModelFamily(types: ["chatglm": "ChatGLMModel"], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    try configuration.refuse("post_layer_norm", unless: true)
    try configuration.refuse("apply_residual_connection_post_layernorm")
    let hidden = try configuration.width("hidden_size")
    let norm: Norm = try configuration.flag("rmsnorm", default: true) ? .rms : .layer
    let layer = Layer(
      mixers: [.attention(try attention(configuration))],
      feedForward: .dense(
        DenseFeedForward(
          width: try configuration.width("ffn_hidden_size"), gated: true,
          bias: try configuration.flag("add_bias_linear", default: false))),
      norm: norm)
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false)),
      layers: Array(repeating: layer, count: try configuration.layerCount("num_layers")), finalNorm: norm,
      vocabulary: try configuration.number("padded_vocab_size", Configuration.Limit.vocabulary),
      contextLimit: try configuration.contextLimit("seq_length"))
  }

  private static func attention(_ configuration: Configuration) throws -> Attention {
    let heads = try configuration.heads("num_attention_heads")
    let shared = try configuration.flag("multi_query_attention", default: false)
    let groups = shared ? try configuration.heads("multi_query_group_num") : heads
    guard heads % groups == 0 else {
      throw configuration.error("multi_query_group_num", "found \(groups), which does not divide \(heads) heads")
    }
    let bias = try configuration.flag("add_bias_linear", default: false)
    return Attention(
      queryHeads: heads, kvHeads: groups, headWidth: try configuration.width("kv_channels"),
      queryKeyValueBias: try configuration.flag("add_qkv_bias", default: false) || bias, outputBias: bias)
  }
}
