/// Qwen 1.5 to 3 with experts, and Pangu Pro MoE, which is configured alike.
enum QwenMoEFamily {
  static let family = ModelFamily(
    types: [
      "qwen2_moe": "Qwen2MoeForCausalLM", "qwen3_moe": "Qwen3MoeForCausalLM", "PanguProMoE": "PanguProMoEForCausalLM",
    ], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    try configuration.checkActivation("hidden_act")
    try configuration.refuse("use_sliding_window")
    try refusePanguVariants(configuration)
    let hidden = try configuration.width("hidden_size")
    let attention = try attention(configuration, hidden: hidden)
    let networks = try feedForwards(configuration, shared: configuration.architecture != "qwen3_moe")
    let layers = networks.map { Layer(mixers: [.attention(attention)], feedForward: $0, norm: .rms) }
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false)), layers: layers,
      finalNorm: .rms)
  }

  private static func attention(_ configuration: Configuration, hidden: Int) throws -> Attention {
    var attention = try configuration.attention(hidden: hidden)
    if configuration.architecture == "qwen2_moe" {
      attention.queryKeyValueBias = try configuration.flag("qkv_bias", default: true)
      return attention
    }
    let bias = try configuration.flag("attention_bias", default: false)
    attention.queryKeyValueBias = bias
    attention.outputBias = bias
    if configuration.architecture == "qwen3_moe" { attention.queryKeyNorm = .perHead }
    return attention
  }

  /// The network of each layer: experts every `decoder_sparse_step` layers, dense ones where `mlp_only_layers` says.
  static func feedForwards(_ configuration: Configuration, shared: Bool) throws -> [FeedForward] {
    let count = try configuration.layerCount()
    let step = try configuration.number("decoder_sparse_step", 1...1_024, 1)
    let dense = Set(try configuration.numbers("mlp_only_layers", in: 0...count - 1))
    let mixture = FeedForward.mixture(try mixture(configuration, shared: shared))
    let isDense = (0..<count).map { dense.contains($0) || ($0 + 1) % step != 0 }
    guard isDense.contains(true) else { return Array(repeating: mixture, count: count) }
    let plain = FeedForward.dense(
      DenseFeedForward(width: try configuration.width("intermediate_size"), gated: true))
    return isDense.map { $0 ? plain : mixture }
  }

  private static func mixture(_ configuration: Configuration, shared: Bool) throws -> MixtureOfExperts {
    let experts = try configuration.experts("num_experts")
    var mixture = MixtureOfExperts(
      experts: experts, expertsPerToken: try configuration.expertsPerToken("num_experts_per_tok", of: experts),
      expertWidth: try configuration.width("moe_intermediate_size"))
    if shared {
      mixture.shared = DenseFeedForward(
        width: try configuration.width("shared_expert_intermediate_size"), gated: true)
      mixture.sharedGate = true
    }
    if configuration.architecture == "PanguProMoE" {
      // One expert is chosen in each group, and a learned scale multiplies each expert's score.
      mixture.sharedGate = false
      mixture.groups = mixture.expertsPerToken
      mixture.routerExtraParameters = experts
    }
    return mixture
  }

  /// The second Pangu generation shares the type but has other attention.
  private static func refusePanguVariants(_ configuration: Configuration) throws {
    try configuration.refuse("sandwich_norm")
    for key in ["param_sink_number", "qk_nope_dim"] where configuration.fields.optional(key) != nil {
      throw configuration.error(key, "belongs to a variant of \(configuration.architecture) not understood here")
    }
  }
}
