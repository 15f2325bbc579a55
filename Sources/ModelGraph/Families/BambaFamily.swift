/// Mamba-2 and attention under the same key names: Bamba and Granite 4 (layer by layer), Falcon-H1 (side by side).
enum BambaFamily {
  static let family = ModelFamily(
    types: [
      "bamba": "BambaForCausalLM", "granitemoehybrid": "GraniteMoeHybridForCausalLM",
      "falcon_h1": "FalconH1ForCausalLM",
    ], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    try configuration.checkActivation("hidden_act")
    let hidden = try configuration.width("hidden_size")
    let recurrent = Mixer.recurrent(try recurrent(configuration, hidden: hidden))
    let attention = Mixer.attention(try attention(configuration, hidden: hidden))
    let feedForward = try feedForward(configuration)
    let layers: [Layer]
    if configuration.architecture == "falcon_h1" {
      let layer = Layer(mixers: [recurrent, attention], feedForward: feedForward, norm: .rms)
      layers = Array(repeating: layer, count: try configuration.layerCount())
    } else {
      layers = try attentionLayers(configuration).map { attends in
        Layer(mixers: [attends ? attention : recurrent], feedForward: feedForward, norm: .rms)
      }
    }
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false)), layers: layers,
      finalNorm: .rms)
  }

  /// Whether each layer attends instead of scanning.
  private static func attentionLayers(_ configuration: Configuration) throws -> [Bool] {
    let count = try configuration.layerCount()
    if let types = try configuration.layerTypes(count: count, among: ["mamba", "attention"]) {
      return types.map { $0 == "attention" }
    }
    let indices = Set(try configuration.numbers("attn_layer_indices", in: 0...count - 1))
    return (0..<count).map(indices.contains)
  }

  private static func recurrent(_ configuration: Configuration, hidden: Int) throws -> Recurrent {
    let heads = try configuration.heads("mamba_n_heads")
    let expand = try configuration.number("mamba_expand", 1...64, 2)
    let inner = try configuration.width("mamba_d_ssm", default: expand * hidden)
    let width = try configuration.numberOrAuto("mamba_d_head", Configuration.Limit.width, automatic: inner / heads)
    guard heads * width == inner else {
      throw configuration.error("mamba_n_heads", "gives \(heads) heads of width \(width), expected \(inner) in all")
    }
    return .mamba2(
      .init(
        heads: heads, headWidth: width, state: try configuration.width("mamba_d_state"),
        groups: try configuration.heads("mamba_n_groups", default: 1),
        kernel: try configuration.number("mamba_d_conv", 1...64, 4),
        convolutionBias: try configuration.flag("mamba_conv_bias", default: true),
        projectionBias: try configuration.flag("mamba_proj_bias", default: false),
        normed: try configuration.architecture != "falcon_h1" || configuration.flag("mamba_rms_norm", default: false),
        chunk: try configuration.number("mamba_chunk_size", 1...65_536, 256)), hidden: hidden)
  }

  private static func attention(_ configuration: Configuration, hidden: Int) throws -> Attention {
    let granite = configuration.architecture == "granitemoehybrid"
    var attention = try configuration.attention(hidden: hidden, kvHeads: granite ? nil : 8)
    let bias = try configuration.flag("attention_bias", default: false)
    attention.queryKeyValueBias = bias
    attention.outputBias = bias
    attention.rotary = try !granite || configuration.fields.optionalString("position_embedding_type") == "rope"
    return attention
  }

  /// Granite 4 has a network every token visits and, in its larger models, experts beside it.
  private static func feedForward(_ configuration: Configuration) throws -> FeedForward {
    guard configuration.architecture == "granitemoehybrid" else {
      let bias = try configuration.flag("mlp_bias", default: false)
      return .dense(
        DenseFeedForward(width: try configuration.width("intermediate_size"), gated: true, bias: bias))
    }
    let shared = DenseFeedForward(width: try configuration.width("shared_intermediate_size"), gated: true)
    let experts = try configuration.number("num_local_experts", 0...4_096)
    guard experts > 0 else { return .dense(shared) }
    return .mixture(
      MixtureOfExperts(
        experts: experts, expertsPerToken: try configuration.expertsPerToken("num_experts_per_tok", of: experts),
        expertWidth: try configuration.width("intermediate_size"), shared: shared))
  }
}
