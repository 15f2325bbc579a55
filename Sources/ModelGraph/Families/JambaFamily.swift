/// Jamba: Mamba with attention every few layers, and experts every other layer.
enum JambaFamily {
  static let family = ModelFamily(types: ["jamba": "JambaForCausalLM"], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    try configuration.checkActivation("hidden_act")
    let hidden = try configuration.width("hidden_size")
    var attention = try configuration.attention(hidden: hidden, kvHeads: 8)
    attention.rotary = false
    let recurrent = try recurrent(configuration, hidden: hidden)
    let dense = DenseFeedForward(width: try configuration.width("intermediate_size"), gated: true)
    let routed = try routed(configuration, width: dense.width)
    let attends = try Turns(configuration, "attn_layer", period: 8, offset: 4)
    let routes = try Turns(configuration, "expert_layer", period: 2, offset: 1)
    let layers = (0..<(try configuration.layerCount())).map { index in
      Layer(
        mixers: [attends.contains(index) ? .attention(attention) : .recurrent(recurrent)],
        feedForward: routes.contains(index) ? routed : .dense(dense), norm: .rms)
    }
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false)), layers: layers,
      finalNorm: .rms)
  }

  /// Layers at an offset in every period.
  private struct Turns {
    let period: Int
    let offset: Int

    init(_ configuration: Configuration, _ prefix: String, period: Int, offset: Int) throws {
      self.period = try configuration.number("\(prefix)_period", 1...1_024, period)
      self.offset = try configuration.number("\(prefix)_offset", 0...1_024, offset)
    }

    func contains(_ index: Int) -> Bool { index % period == offset }
  }

  /// A single expert is a plain network without a router.
  private static func routed(_ configuration: Configuration, width: Int) throws -> FeedForward {
    let experts = try configuration.experts("num_experts", default: 16)
    guard experts > 1 else { return .dense(DenseFeedForward(width: width, gated: true)) }
    return .mixture(
      MixtureOfExperts(
        experts: experts,
        expertsPerToken: try configuration.expertsPerToken("num_experts_per_tok", of: experts, default: 2),
        expertWidth: width))
  }

  private static func recurrent(_ configuration: Configuration, hidden: Int) throws -> Recurrent {
    .mamba(
      .init(
        inner: try configuration.number("mamba_expand", 1...64, 2) * hidden,
        state: try configuration.width("mamba_d_state", default: 16),
        kernel: try configuration.number("mamba_d_conv", 1...64, 4),
        rank: try configuration.numberOrAuto(
          "mamba_dt_rank", Configuration.Limit.width, automatic: (hidden + 15) / 16),
        convolutionBias: try configuration.flag("mamba_conv_bias", default: true),
        projectionBias: try configuration.flag("mamba_proj_bias", default: false), normed: true), hidden: hidden)
  }
}
