/// Kimi Linear: delta attention with a decay for each channel, and a latent attention layer now and then.
enum KimiLinearFamily {
  static let family = ModelFamily(types: ["kimi_linear": "KimiLinearForCausalLM"], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    try configuration.checkActivation("hidden_act")
    let hidden = try configuration.width("hidden_size")
    let linear = Configuration(
      fields: try configuration.fields.required("linear_attn_config").object(),
      architecture: configuration.architecture, name: configuration.name)
    let count = try configuration.layerCount()
    let latentLayers = Set(try linear.numbers("full_attn_layers", in: 1...count))
    let deltaLayers = Set(try linear.numbers("kda_layers", in: 1...count))
    guard latentLayers.isDisjoint(with: deltaLayers), latentLayers.count + deltaLayers.count == count else {
      throw linear.error("kda_layers", "and 'full_attn_layers' do not name each of \(count) layers once")
    }
    let latent = Mixer.latentAttention(try DeepSeekFamily.latentAttention(configuration))
    let delta = Mixer.recurrent(try delta(linear, hidden: hidden))
    let layers = try feedForwards(configuration).enumerated().map { index, network in
      Layer(mixers: [latentLayers.contains(index + 1) ? latent : delta], feedForward: network, norm: .rms)
    }
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false)), layers: layers,
      finalNorm: .rms, contextLimit: try configuration.contextLimit("model_max_length"))
  }

  private static func delta(_ configuration: Configuration, hidden: Int) throws -> Recurrent {
    let heads = try configuration.heads("num_heads")
    let width = try configuration.width("head_dim")
    let kernel = try configuration.number("short_conv_kernel_size", 1...64, 4)
    let inner = heads * width
    let state = inner * width
    return Recurrent(
      kind: .gatedDelta,
      projections: [
        Projection(name: "qkv_proj", inputs: hidden, outputs: 3 * inner),
        Projection(name: "f_a_proj", inputs: hidden, outputs: width),
        Projection(name: "f_b_proj", inputs: width, outputs: inner),
        Projection(name: "b_proj", inputs: hidden, outputs: heads),
        Projection(name: "g_a_proj", inputs: hidden, outputs: width),
        Projection(name: "g_b_proj", inputs: width, outputs: inner),
        Projection(name: "o_proj", inputs: inner, outputs: hidden),
      ],
      stateElements: state + 3 * inner * (kernel - 1),
      scanFLOPsPerToken: Recurrent.decayPredictCorrectRead * state + 6 * inner * kernel,
      // Three convolutions, a decay offset for each channel, a decay for each head, the output norm.
      extraParameters: 3 * inner * kernel + inner + heads + width, heads: heads, chunk: 64)
  }

  private static func feedForwards(_ configuration: Configuration) throws -> [FeedForward] {
    let count = try configuration.layerCount()
    let experts = try configuration.experts("num_experts")
    let width = try configuration.width("moe_intermediate_size")
    let shared = try configuration.number("num_shared_experts", 0...64, 0)
    let mixture = FeedForward.mixture(
      MixtureOfExperts(
        experts: experts, expertsPerToken: try configuration.expertsPerToken("num_experts_per_token", of: experts),
        expertWidth: width, shared: shared == 0 ? nil : DenseFeedForward(width: shared * width, gated: true),
        routerExtraParameters: experts))
    let dense = FeedForward.dense(
      DenseFeedForward(width: try configuration.width("intermediate_size"), gated: true))
    let first = try configuration.number("first_k_dense_replace", 0...count)
    let every = try configuration.number("moe_layer_freq", 1...1_024, 1)
    return (0..<count).map { $0 >= first && $0 % every == 0 ? mixture : dense }
  }
}
