/// ERNIE 4.5 with experts between a first and a last layer index; only the experts never have biases.
enum ErnieMoEFamily {
  static let family = ModelFamily(types: ["ernie4_5_moe": "Ernie4_5_MoeForCausalLM"], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    try configuration.checkActivation("hidden_act")
    let hidden = try configuration.width("hidden_size")
    let bias = try configuration.flag("use_bias", default: false)
    var attention = try configuration.attention(hidden: hidden)
    attention.queryKeyValueBias = bias
    attention.outputBias = bias
    let layers = try feedForwards(configuration, bias: bias).map { network in
      Layer(mixers: [.attention(attention)], feedForward: network, norm: .rms)
    }
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: true), headBias: bias),
      layers: layers, finalNorm: .rms)
  }

  private static func feedForwards(_ configuration: Configuration, bias: Bool) throws -> [FeedForward] {
    let count = try configuration.layerCount()
    let first = try configuration.number("moe_layer_start_index", 0...1_024, 1)
    let last = try configuration.number("moe_layer_end_index", -1...1_024, -1)
    let interval = try configuration.number("moe_layer_interval", 1...1_024, 1)
    let dense = FeedForward.dense(
      DenseFeedForward(width: try configuration.width("intermediate_size"), gated: true, bias: bias))
    let mixture = FeedForward.mixture(try mixture(configuration, bias: bias))
    return (0..<count).map { index in
      let routed = index >= first && (last < 0 || index <= last) && (index + 1) % interval == 0
      return routed ? mixture : dense
    }
  }

  private static func mixture(_ configuration: Configuration, bias: Bool) throws -> MixtureOfExperts {
    let experts = try configuration.experts("moe_num_experts")
    let width = try configuration.width("moe_intermediate_size")
    let shared = try configuration.number("moe_num_shared_experts", 0...64, 2)
    return MixtureOfExperts(
      experts: experts, expertsPerToken: try configuration.expertsPerToken("moe_k", of: experts), expertWidth: width,
      shared: shared == 0 ? nil : DenseFeedForward(width: shared * width, gated: true, bias: bias),
      routerExtraParameters: experts)
  }
}
