/// Falcon 7B (one shared KV head), 40B and 180B (KV heads in groups, two norms before the parallel branches).
enum FalconFamily {
  static let family = ModelFamily(
    types: ["falcon": "FalconForCausalLM", "RefinedWeb": "RWForCausalLM", "RefinedWebModel": "RWForCausalLM"],
    read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    try configuration.checkActivation("activation")
    let hidden = try configuration.width("hidden_size")
    let grouped = try configuration.flag(
      "new_decoder_architecture", default: configuration.architecture == "RefinedWeb")
    let parallel = try configuration.flag("parallel_attn", default: true)
    let bias = try configuration.flag("bias", default: false)
    let width = try configuration.optionalWidth("ffn_hidden_size") ?? 4 * hidden
    let layer = Layer(
      mixers: [.attention(try attention(configuration, hidden: hidden, grouped: grouped, bias: bias))],
      feedForward: .dense(DenseFeedForward(width: width, gated: false, bias: bias)), norm: .layer,
      normCount: try normCount(configuration, grouped: grouped, parallel: parallel),
      parallelResidual: parallel || grouped)
    let layerKey = configuration.fields.optional("n_layer") == nil ? "num_hidden_layers" : "n_layer"
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: true)),
      layers: Array(repeating: layer, count: try configuration.layerCount(layerKey)), finalNorm: .layer)
  }

  private static func attention(
    _ configuration: Configuration, hidden: Int, grouped: Bool, bias: Bool
  ) throws -> Attention {
    let headKey = configuration.fields.optional("n_head") == nil ? "num_attention_heads" : "n_head"
    let groupKey = configuration.fields.optional("n_head_kv") == nil ? "num_kv_heads" : "n_head_kv"
    let heads = try configuration.heads(headKey)
    let shared = try configuration.flag("multi_query", default: true)
    let groups = grouped ? try configuration.heads(groupKey, default: heads) : shared ? 1 : heads
    guard heads % groups == 0 else {
      throw configuration.error(groupKey, "found \(groups), which does not divide the \(heads) attention heads")
    }
    return Attention(
      queryHeads: heads, kvHeads: groups, headWidth: try configuration.share(of: hidden, heads, headKey),
      queryKeyValueBias: bias, outputBias: bias, rotary: try !configuration.flag("alibi", default: false))
  }

  private static func normCount(_ configuration: Configuration, grouped: Bool, parallel: Bool) throws -> Int {
    if grouped { return try configuration.number("num_ln_in_parallel_attn", 1...2, 2) }
    return parallel ? 1 : 2
  }
}
