/// Mamba and Mamba-2: nothing but recurrent mixers, each behind one norm.
enum MambaFamily {
  static let family = ModelFamily(
    types: ["mamba": "MambaForCausalLM", "mamba2": "Mamba2ForCausalLM"], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    try configuration.checkActivation("hidden_act")
    let hidden = try configuration.width("hidden_size")
    let second = configuration.architecture == "mamba2"
    let mixer = try second ? mamba2(configuration, hidden: hidden) : mamba(configuration, hidden: hidden)
    let layer = Layer(mixers: [.recurrent(mixer)], feedForward: nil, norm: .rms, normCount: 1)
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: !second)),
      layers: Array(repeating: layer, count: try configuration.layerCount()), finalNorm: .rms)
  }

  private static func mamba2(_ configuration: Configuration, hidden: Int) throws -> Recurrent {
    let heads = try configuration.heads("num_heads")
    let width = try configuration.width("head_dim")
    let expand = try configuration.number("expand", 1...64, 2)
    guard heads * width == expand * hidden else {
      throw configuration.error(
        "num_heads", "gives \(heads) heads of width \(width), expected \(expand) x hidden_size = \(expand * hidden)")
    }
    return .mamba2(
      .init(
        heads: heads, headWidth: width, state: try configuration.width("state_size"),
        groups: try configuration.heads("n_groups"), kernel: try configuration.number("conv_kernel", 1...64, 4),
        convolutionBias: try configuration.flag("use_conv_bias", default: true),
        projectionBias: try configuration.flag("use_bias", default: false),
        chunk: try configuration.number("chunk_size", 1...65_536, 256)), hidden: hidden)
  }

  private static func mamba(_ configuration: Configuration, hidden: Int) throws -> Recurrent {
    let expand = try configuration.number("expand", 1...64, 2)
    return .mamba(
      .init(
        inner: try configuration.width("intermediate_size", default: expand * hidden),
        state: try configuration.width("state_size"), kernel: try configuration.number("conv_kernel", 1...64, 4),
        rank: try configuration.numberOrAuto(
          "time_step_rank", Configuration.Limit.width, automatic: (hidden + 15) / 16),
        convolutionBias: try configuration.flag("use_conv_bias", default: true),
        projectionBias: try configuration.flag("use_bias", default: false)), hidden: hidden)
  }
}
