/// GLM-4.5 to 4.7: dense layers first, then routed and shared experts; grouped attention with biases.
enum GLMMoEFamily {
  static let family = ModelFamily(types: ["glm4_moe": "Glm4MoeForCausalLM"], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    try configuration.checkActivation("hidden_act")
    let hidden = try configuration.width("hidden_size")
    var attention = try configuration.attention(hidden: hidden)
    attention.queryKeyValueBias = try configuration.flag("attention_bias", default: false)
    attention.queryKeyNorm = try configuration.flag("use_qk_norm", default: false) ? .perHead : .none
    let layers = try DeepSeekFamily.feedForwards(configuration, denseFirst: 1).map { network in
      Layer(mixers: [.attention(attention)], feedForward: network, norm: .rms)
    }
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false)), layers: layers,
      finalNorm: .rms)
  }
}
