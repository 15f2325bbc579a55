/// Decoders shaped like Llama: rotary attention and a feed-forward network, each behind a norm.
enum LlamaFamily {
  static let family = ModelFamily(
    types: [
      "llama": "LlamaForCausalLM", "mistral": "MistralForCausalLM", "ministral": "MinistralForCausalLM",
      "aquila": "AquilaForCausalLM", "Yi": "YiForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM",
      "olmo2": "Olmo2ForCausalLM", "phi": "PhiForCausalLM", "phi3": "Phi3ForCausalLM",
      "stablelm": "StableLmForCausalLM", "granite": "GraniteForCausalLM", "smollm3": "SmolLM3ForCausalLM",
      "starcoder2": "Starcoder2ForCausalLM", "nemotron": "NemotronForCausalLM", "cohere": "CohereForCausalLM",
      "glm": "GlmForCausalLM", "glm4": "Glm4ForCausalLM", "ernie4_5": "Ernie4_5ForCausalLM",
      "hunyuan_v1_dense": "HunYuanDenseV1ForCausalLM",
    ], read: read)

  /// What sets one architecture apart from the next.
  struct Traits {
    var tied = false
    var queryKeyValueBias = false
    var outputBias = false
    var feedForwardBias = false
    var headBias = false
    var gated = true
    var norm = Norm.rms
    var normCount = 2
    var parallelResidual = false
    var queryKeyNorm = QueryKeyNorm.none
    /// Default head width and KV heads, where the architecture has its own.
    var headWidth: Int?
    var kvHeads: Int?
  }

  static func read(_ configuration: Configuration) throws -> Model {
    let traits = try traits(configuration)
    let hidden = try configuration.width("hidden_size")
    try configuration.checkActivation("hidden_act")
    let feedForward = FeedForward.dense(
      DenseFeedForward(
        width: try configuration.width("intermediate_size"), gated: traits.gated, bias: traits.feedForwardBias))
    let layers = try attentions(configuration, traits, hidden: hidden).map { attention in
      Layer(
        mixers: [.attention(attention)], feedForward: feedForward, norm: traits.norm, normCount: traits.normCount,
        parallelResidual: traits.parallelResidual)
    }
    let embedding = Embedding(tied: try configuration.tied(default: traits.tied), headBias: traits.headBias)
    return try configuration.model(hidden: hidden, embedding: embedding, layers: layers, finalNorm: traits.norm)
  }

  // MARK: Attention, layer by layer

  private static func attentions(_ configuration: Configuration, _ traits: Traits, hidden: Int) throws -> [Attention] {
    var attention = try configuration.attention(
      hidden: hidden, headWidth: traits.headWidth, kvHeads: traits.kvHeads)
    attention.queryKeyValueBias = traits.queryKeyValueBias
    attention.outputBias = traits.outputBias
    attention.queryKeyNorm = traits.queryKeyNorm
    let window = try window(configuration)
    let types = try layerTypes(configuration, windowed: window != nil)
    let unrotated = try unrotatedLayers(configuration, count: types.count)
    return try types.enumerated().map { index, type in
      var layer = try configuration.windowed(attention, type: type, window: window)
      layer.rotary = !unrotated.contains(index)
      return layer
    }
  }

  /// Tokens a sliding layer sees; nothing when no layer slides.
  private static func window(_ configuration: Configuration) throws -> Int? {
    let fields = configuration.fields
    let found = try fields.optionalInt("sliding_window", in: Configuration.Limit.tokens)
    switch configuration.architecture {
    case "mistral", "ministral": return fields.keys.contains("sliding_window") ? found : 4096
    case "phi3", "starcoder2": return found
    case "qwen2", "qwen3", "smollm3":
      return try configuration.flag("use_sliding_window", default: false) ? found ?? 4096 : nil
    default: return nil
    }
  }

  private static func layerTypes(_ configuration: Configuration, windowed: Bool) throws -> [String] {
    let count = try configuration.layerCount()
    let known = ["full_attention", "sliding_attention"]
    if let types = try configuration.layerTypes(count: count, among: known) { return types }
    guard windowed else { return Array(repeating: known[0], count: count) }
    switch configuration.architecture {
    case "qwen2", "qwen3":
      let first = try configuration.number("max_window_layers", 0...1_000_000, 28)
      return (0..<count).map { $0 >= first ? known[1] : known[0] }
    default: return Array(repeating: known[1], count: count)
    }
  }

  /// SmolLM3 leaves rotary out of every fourth layer; its list marks with 1 the layers that have it.
  private static func unrotatedLayers(_ configuration: Configuration, count: Int) throws -> Set<Int> {
    guard configuration.architecture == "smollm3" else { return [] }
    let marks = try configuration.numbers("no_rope_layers", in: 0...1)
    if !marks.isEmpty { return Set(marks.indices.filter { marks[$0] == 0 }) }
    let interval = try configuration.number("no_rope_layer_interval", 1...1_024, 4)
    return Set((0..<count).filter { ($0 + 1) % interval == 0 })
  }

  // MARK: Architectures

  private static func traits(_ configuration: Configuration) throws -> Traits {
    let attentionBias = try configuration.flag(
      "attention_bias", default: ["glm", "glm4"].contains(configuration.architecture))
    var traits = Traits(queryKeyValueBias: attentionBias, outputBias: attentionBias)
    switch configuration.architecture {
    case "llama", "aquila", "Yi", "granite":
      traits.feedForwardBias = try configuration.flag("mlp_bias", default: false)
    case "mistral", "ministral", "phi3":
      traits.queryKeyValueBias = false
      traits.outputBias = false
      if configuration.architecture != "phi3" { traits.kvHeads = 8 }
    case "qwen2":
      traits.queryKeyValueBias = true
      traits.outputBias = false
    case "qwen3":
      traits.queryKeyNorm = .perHead
      traits.headWidth = 128
    case "hunyuan_v1_dense": traits.queryKeyNorm = .perHead
    case "olmo2": traits.queryKeyNorm = .wholeProjection
    case "smollm3":
      traits.tied = true
      traits.feedForwardBias = try configuration.flag("mlp_bias", default: false)
    case "glm", "glm4":
      traits.outputBias = false
      traits.headWidth = 128
      traits.kvHeads = 2
      if configuration.architecture == "glm4" { traits.normCount = 4 }
    case "ernie4_5":
      let bias = try configuration.flag("use_bias", default: false)
      traits = Traits(tied: true, queryKeyValueBias: bias, outputBias: bias, feedForwardBias: bias, headWidth: 128)
    default: try setLayerNormTraits(&traits, configuration)
    }
    return traits
  }

  /// The architectures of this shape that use LayerNorm.
  private static func setLayerNormTraits(_ traits: inout Traits, _ configuration: Configuration) throws {
    traits.norm = .layer
    switch configuration.architecture {
    case "phi":
      try configuration.refuse("qk_layernorm")
      traits = Traits(
        queryKeyValueBias: true, outputBias: true, feedForwardBias: true, headBias: true, gated: false, norm: .layer,
        normCount: 1, parallelResidual: true)
    case "stablelm":
      try configuration.refuse("qk_layernorm")
      traits.outputBias = false
      traits.queryKeyValueBias = try configuration.flag("use_qkv_bias", default: false)
      traits.parallelResidual = try configuration.flag("use_parallel_residual", default: false)
      if traits.parallelResidual { traits.normCount = 1 }
    case "starcoder2":
      let bias = try configuration.flag("use_bias", default: true)
      traits = Traits(
        tied: true, queryKeyValueBias: bias, outputBias: bias, feedForwardBias: bias, gated: false, norm: .layer,
        kvHeads: 2)
    case "nemotron":
      traits.gated = false
      traits.feedForwardBias = try configuration.flag("mlp_bias", default: false)
    default:  // cohere
      try configuration.refuse("use_qk_norm")
      traits.norm = .layerWithoutBias
      traits.normCount = 1
      traits.parallelResidual = true
      traits.tied = true
    }
  }
}
