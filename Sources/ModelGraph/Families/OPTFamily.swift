/// OPT: learned positions (two rows more than the context), LayerNorm, biases throughout.
enum OPTFamily {
  static let family = ModelFamily(types: ["opt": "OPTForCausalLM"], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    try configuration.checkActivation("activation_function")
    let hidden = try configuration.width("hidden_size")
    let context = try configuration.number("max_position_embeddings", Configuration.Limit.tokens)
    let bias = try configuration.flag("enable_bias", default: true)
    let norm: Norm = try configuration.flag("layer_norm_elementwise_affine", default: true) ? .layer : .none
    var attention = try configuration.attention(hidden: hidden)
    attention.queryKeyValueBias = bias
    attention.outputBias = bias
    attention.rotary = false
    let layer = Layer(
      mixers: [.attention(attention)],
      feedForward: .dense(DenseFeedForward(width: try configuration.width("ffn_dim"), gated: false, bias: bias)),
      norm: norm)
    // OPT-350m narrows its token table, norms after each branch, and so has no norm at the end.
    let width = try configuration.optionalWidth("word_embed_proj_dim")
    let normsFirst = try configuration.flag("do_layer_norm_before", default: true)
    let bare = try !normsFirst || configuration.flag("_remove_final_layer_norm", default: false)
    return try configuration.model(
      hidden: hidden,
      embedding: Embedding(
        tied: try configuration.tied(default: true), width: width == hidden ? nil : width,
        learnedPositions: context + 2),
      layers: Array(repeating: layer, count: try configuration.layerCount()), finalNorm: bare ? .none : norm)
  }
}
