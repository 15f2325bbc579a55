/// BLOOM: ALiBi positions, a norm after the token table, biases throughout.
enum BloomFamily {
  static let family = ModelFamily(types: ["bloom": "BloomForCausalLM"], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    let fields = configuration.fields
    // Older files say n_embed and num_attention_heads, newer ones hidden_size and n_head.
    let hidden = try configuration.width(fields.optional("hidden_size") == nil ? "n_embed" : "hidden_size")
    let headKey = fields.optional("n_head") == nil ? "num_attention_heads" : "n_head"
    let layerKey = fields.optional("n_layer") == nil ? "num_hidden_layers" : "n_layer"
    let heads = try configuration.heads(headKey)
    let attention = Attention(
      queryHeads: heads, kvHeads: heads, headWidth: try configuration.share(of: hidden, heads, headKey),
      queryKeyValueBias: true, outputBias: true, rotary: false)
    let layer = Layer(
      mixers: [.attention(attention)],
      feedForward: .dense(DenseFeedForward(width: 4 * hidden, gated: false, bias: true)), norm: .layer)
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: true), norm: .layer),
      layers: Array(repeating: layer, count: try configuration.layerCount(layerKey)), finalNorm: .layer,
      contextLimit: try configuration.contextLimit("seq_length"))
  }
}
