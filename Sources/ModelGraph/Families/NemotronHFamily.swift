import Documents
import Quantities

/// Nemotron-H: each layer is one thing only, spelt by a letter: Mamba-2 (M), attention (*), network (-), experts (E).
enum NemotronHFamily {
  static let family = ModelFamily(types: ["nemotron_h": "NemotronHForCausalLM"], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    try configuration.checkActivation("mlp_hidden_act", "mamba_hidden_act")
    let hidden = try configuration.width("hidden_size")
    var parts: [Character: Layer] = [:]
    let layers = try pattern(configuration).map { letter in
      if let known = parts[letter] { return known }
      let layer = try layer(letter, configuration, hidden: hidden)
      parts[letter] = layer
      return layer
    }
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false)), layers: layers,
      finalNorm: .rms)
  }

  private static func pattern(_ configuration: Configuration) throws -> [Character] {
    let words = ["mamba": "M", "attention": "*", "mlp": "-", "moe": "E"]
    if let list = configuration.fields.optional("layers_block_type") {
      let count = try list.array().count
      let types = try configuration.layerTypes("layers_block_type", count: count, among: words.keys.sorted())
      return (types ?? []).compactMap { words[$0]?.first }
    }
    let node = try configuration.fields.required("hybrid_override_pattern")
    let letters = Array(try node.string())
    let count = try configuration.layerCount()
    guard letters.count == count else {
      throw node.error("has \(letters.count) letters, expected one for \(count) layers")
    }
    guard let odd = letters.first(where: { !"M*-E".contains($0) }) else { return letters }
    throw node.error("has the letter \(shown(String(odd))), expected M, *, - or E")
  }

  private static func layer(_ letter: Character, _ configuration: Configuration, hidden: Int) throws -> Layer {
    var mixers: [Mixer] = []
    var feedForward: FeedForward?
    switch letter {
    case "M": mixers = [.recurrent(try recurrent(configuration, hidden: hidden))]
    case "*": mixers = [.attention(try attention(configuration, hidden: hidden))]
    case "E": feedForward = .mixture(try mixture(configuration))
    default:
      let bias = try configuration.flag("mlp_bias", default: false)
      feedForward = .dense(
        DenseFeedForward(width: try configuration.width("intermediate_size"), gated: false, bias: bias))
    }
    return Layer(mixers: mixers, feedForward: feedForward, norm: .rms, normCount: 1)
  }

  private static func attention(_ configuration: Configuration, hidden: Int) throws -> Attention {
    // First published files say attention_head_dim, later ones head_dim.
    let width = try configuration.optionalWidth("attention_head_dim")
    var attention = try configuration.attention(hidden: hidden, headWidth: width ?? 128, kvHeads: 8)
    attention.rotary = false
    return attention
  }

  private static func recurrent(_ configuration: Configuration, hidden: Int) throws -> Recurrent {
    let cache = try configuration.fields.optionalString("mamba_ssm_cache_dtype") ?? "float32"
    return .mamba2(
      .init(
        heads: try configuration.heads("mamba_num_heads"), headWidth: try configuration.width("mamba_head_dim"),
        state: try configuration.width("ssm_state_size"), groups: try configuration.heads("n_groups"),
        kernel: try configuration.number("conv_kernel", 1...64, 4),
        convolutionBias: try configuration.flag("use_conv_bias", default: true),
        projectionBias: try configuration.flag("use_bias", default: false),
        chunk: try configuration.number("chunk_size", 1...65_536, 128),
        stateFormat: cache == "float32" ? .fp32 : nil), hidden: hidden)
  }

  private static func mixture(_ configuration: Configuration) throws -> MixtureOfExperts {
    guard configuration.fields.optional("moe_latent_size") == nil else {
      throw configuration.error("moe_latent_size", "means experts behind a latent projection, not understood here")
    }
    let experts = try configuration.experts("n_routed_experts")
    let shared = try configuration.width("moe_shared_expert_intermediate_size")
    return MixtureOfExperts(
      experts: experts, expertsPerToken: try configuration.expertsPerToken("num_experts_per_tok", of: experts),
      expertWidth: try configuration.width("moe_intermediate_size"), gated: false,
      shared: DenseFeedForward(width: shared, gated: false), routerExtraParameters: experts)
  }
}
