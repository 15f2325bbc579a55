/// gpt-oss: sliding and full attention by turns, sink logits, experts with biases.
enum GptOssFamily {
  static let family = ModelFamily(types: ["gpt_oss": "GptOssForCausalLM"], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    try configuration.checkActivation("hidden_act")
    let hidden = try configuration.width("hidden_size")
    var attention = try configuration.attention(hidden: hidden, headWidth: 64)
    let bias = try configuration.flag("attention_bias", default: true)
    attention.queryKeyValueBias = bias
    attention.outputBias = bias
    attention.sinks = true
    let window = try configuration.number("sliding_window", Configuration.Limit.tokens, 128)
    let feedForward = FeedForward.mixture(try mixture(configuration))
    let layers = try types(configuration).map { type in
      Layer(
        mixers: [.attention(try configuration.windowed(attention, type: type, window: window))],
        feedForward: feedForward, norm: .rms)
    }
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false)), layers: layers,
      finalNorm: .rms)
  }

  private static func types(_ configuration: Configuration) throws -> [String] {
    let count = try configuration.layerCount()
    let known = ["sliding_attention", "full_attention"]
    return try configuration.layerTypes(count: count, among: known) ?? (0..<count).map { known[$0 % 2] }
  }

  private static func mixture(_ configuration: Configuration) throws -> MixtureOfExperts {
    let experts = try configuration.experts("num_local_experts")
    return MixtureOfExperts(
      experts: experts, expertsPerToken: try configuration.expertsPerToken("num_experts_per_tok", of: experts),
      expertWidth: try configuration.width("intermediate_size"), expertBias: true, routerExtraParameters: experts)
  }
}
