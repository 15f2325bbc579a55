/// DeepSeek MoE, V2, V3, R1 and V3.2, and what follows their plan: Kimi K2, GLM-4.7-Flash, GLM-5.
///
/// A multi-token-prediction module that a checkpoint may carry is not counted: plain decoding never loads it.
enum DeepSeekFamily {
  static let family = ModelFamily(
    types: [
      "deepseek": "DeepseekForCausalLM", "deepseek_v2": "DeepseekV2ForCausalLM",
      "deepseek_v3": "DeepseekV3ForCausalLM", "deepseek_v32": "DeepseekV32ForCausalLM",
      "kimi_k2": "DeepseekV3ForCausalLM", "glm4_moe_lite": "Glm4MoeLiteForCausalLM",
      "glm_moe_dsa": "GlmMoeDsaForCausalLM",
    ], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    try configuration.checkActivation("hidden_act")
    let hidden = try configuration.width("hidden_size")
    let mixer = try mixer(configuration, hidden: hidden)
    let denseFirst: Int
    switch configuration.architecture {
    case "deepseek", "deepseek_v2": denseFirst = 0
    case "glm4_moe_lite": denseFirst = 1
    default: denseFirst = 3
    }
    let layers = try feedForwards(configuration, denseFirst: denseFirst).map { network in
      Layer(mixers: [mixer], feedForward: network, norm: .rms)
    }
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false)), layers: layers,
      finalNorm: .rms)
  }

  // MARK: Attention

  private static func mixer(_ configuration: Configuration, hidden: Int) throws -> Mixer {
    guard configuration.architecture == "deepseek" else {
      var latent = try latentAttention(configuration)
      if ["deepseek_v32", "glm_moe_dsa"].contains(configuration.architecture) {
        latent.indexer = try indexer(configuration)
      }
      return .latentAttention(latent)
    }
    var attention = try configuration.attention(hidden: hidden)
    let bias = try configuration.flag("attention_bias", default: false)
    attention.queryKeyValueBias = bias
    attention.outputBias = bias
    return .attention(attention)
  }

  /// Latent attention from DeepSeek's keys; a null `q_lora_rank` means that queries are projected directly.
  static func latentAttention(_ configuration: Configuration) throws -> LatentAttention {
    LatentAttention(
      heads: try configuration.heads("num_attention_heads"),
      queryRank: try configuration.optionalWidth("q_lora_rank"), kvRank: try configuration.width("kv_lora_rank"),
      nopeWidth: try configuration.width("qk_nope_head_dim"), ropeWidth: try configuration.width("qk_rope_head_dim"),
      valueWidth: try configuration.width("v_head_dim"), bias: try configuration.flag("attention_bias", default: false)
    )
  }

  private static func indexer(_ configuration: Configuration) throws -> LatentAttention.Indexer {
    LatentAttention.Indexer(
      heads: try configuration.heads("index_n_heads"), headWidth: try configuration.width("index_head_dim"),
      selected: try configuration.number("index_topk", Configuration.Limit.tokens))
  }

  // MARK: Feed-forward networks

  /// The network of each layer: some dense ones first, then experts every `moe_layer_freq` layers.
  static func feedForwards(_ configuration: Configuration, denseFirst standard: Int) throws -> [FeedForward] {
    let count = try configuration.layerCount()
    let dense = FeedForward.dense(
      DenseFeedForward(width: try configuration.width("intermediate_size"), gated: true))
    guard configuration.fields.optional("n_routed_experts") != nil else {
      guard configuration.architecture == "deepseek" else {
        throw configuration.error("n_routed_experts", "is missing")
      }
      return Array(repeating: dense, count: count)
    }
    let mixture = FeedForward.mixture(try mixture(configuration))
    let known = ["dense", "sparse"]
    if let types = try configuration.layerTypes("mlp_layer_types", count: count, among: known) {
      return types.map { $0 == "dense" ? dense : mixture }
    }
    let first = try configuration.number("first_k_dense_replace", 0...count, standard)
    let every = try configuration.number("moe_layer_freq", 1...1_024, 1)
    return (0..<count).map { $0 >= first && $0 % every == 0 ? mixture : dense }
  }

  private static func mixture(_ configuration: Configuration) throws -> MixtureOfExperts {
    let experts = try configuration.experts("n_routed_experts")
    let width = try configuration.width("moe_intermediate_size")
    let shared = try configuration.number("n_shared_experts", 0...64, 0)
    // V2 and older balance by a loss; all later ones by a bias for each expert.
    let balanced = !["deepseek", "deepseek_v2"].contains(configuration.architecture)
    return MixtureOfExperts(
      experts: experts, expertsPerToken: try configuration.expertsPerToken("num_experts_per_tok", of: experts),
      expertWidth: width, shared: shared == 0 ? nil : DenseFeedForward(width: shared * width, gated: true),
      routerExtraParameters: balanced ? experts : 0,
      groups: try configuration.fields.optionalInt("n_group", in: Configuration.Limit.experts))
  }
}
