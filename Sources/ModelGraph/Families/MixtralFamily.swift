import Documents

/// Decoders whose every layer routes among equal experts: Mixtral, Phi-3.5-MoE, OLMoE, Granite MoE, DBRX.
enum MixtralFamily {
  static let family = ModelFamily(
    types: [
      "mixtral": "MixtralForCausalLM", "phimoe": "PhiMoEForCausalLM", "olmoe": "OlmoeForCausalLM",
      "granitemoe": "GraniteMoeForCausalLM", "dbrx": "DbrxForCausalLM",
    ], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    if configuration.architecture == "dbrx" { return try dbrx(configuration) }
    try configuration.checkActivation("hidden_act")
    let hidden = try configuration.width("hidden_size")
    let phi = configuration.architecture == "phimoe"
    let norm: Norm = phi ? .layer : .rms
    let layer = Layer(
      mixers: [.attention(try attention(configuration, hidden: hidden))],
      feedForward: .mixture(try mixture(configuration)), norm: norm)
    return try configuration.model(
      hidden: hidden,
      embedding: Embedding(
        tied: try configuration.tied(default: false),
        headBias: try phi && configuration.flag("lm_head_bias", default: false)),
      layers: Array(repeating: layer, count: try configuration.layerCount()), finalNorm: norm)
  }

  private static func attention(_ configuration: Configuration, hidden: Int) throws -> Attention {
    let grouped = ["mixtral", "phimoe"].contains(configuration.architecture)
    var attention = try configuration.attention(hidden: hidden, kvHeads: grouped ? 8 : nil)
    let bias = try configuration.flag("attention_bias", default: false)
    attention.queryKeyValueBias = bias
    attention.outputBias = bias
    if configuration.architecture == "olmoe" { attention.queryKeyNorm = .wholeProjection }
    if grouped {
      attention.window = try configuration.fields.optionalInt("sliding_window", in: Configuration.Limit.tokens)
    }
    return attention
  }

  private static func mixture(_ configuration: Configuration) throws -> MixtureOfExperts {
    let key = configuration.architecture == "olmoe" ? "num_experts" : "num_local_experts"
    let experts = try configuration.experts(key)
    return MixtureOfExperts(
      experts: experts, expertsPerToken: try configuration.expertsPerToken("num_experts_per_tok", of: experts),
      expertWidth: try configuration.width("intermediate_size"))
  }

  /// DBRX keeps attention and experts in tables of their own.
  private static func dbrx(_ configuration: Configuration) throws -> Model {
    func part(_ key: String) throws -> Configuration {
      let table = try configuration.fields.required(key).object()
      return Configuration(fields: table, architecture: configuration.architecture, name: configuration.name)
    }
    let hidden = try configuration.width("d_model")
    let heads = try configuration.heads("n_heads")
    let groups = try part("attn_config").heads("kv_n_heads", default: 1)
    guard heads % groups == 0 else {
      throw configuration.error("n_heads", "found \(heads), which the \(groups) KV heads do not divide")
    }
    let network = try part("ffn_config")
    let experts = try network.experts("moe_num_experts", default: 4)
    let mixture = MixtureOfExperts(
      experts: experts, expertsPerToken: try network.expertsPerToken("moe_top_k", of: experts, default: 1),
      expertWidth: try network.width("ffn_hidden_size", default: 3584))
    let attention = Attention(
      queryHeads: heads, kvHeads: groups, headWidth: try configuration.share(of: hidden, heads, "n_heads"))
    let layer = Layer(mixers: [.attention(attention)], feedForward: .mixture(mixture), norm: .layerWithoutBias)
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false)),
      layers: Array(repeating: layer, count: try configuration.layerCount("n_layers")), finalNorm: .layerWithoutBias,
      contextLimit: try configuration.contextLimit("max_seq_len"))
  }
}
