/// Gemma 1 to 3; the last also inside its multimodal wrapper, whose vision tower counts as extra parameters.
enum GemmaFamily {
  static let family = ModelFamily(
    types: [
      "gemma": "GemmaForCausalLM", "gemma2": "Gemma2ForCausalLM", "gemma3": "Gemma3ForConditionalGeneration",
      "gemma3_text": "Gemma3ForCausalLM",
    ], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    switch configuration.architecture {
    case "gemma": return try model(configuration, types: nil, normCount: 2)
    case "gemma2": return try model(configuration, types: types(configuration, fullEvery: 2), normCount: 4)
    case "gemma3":
      let text = try configuration.text()
      let tower = try VisionTower.siglip(configuration, textHidden: text.width("hidden_size", default: 2304))
      return try model(text, types: types(text, fullEvery: 6), normCount: 4, extraParameters: tower)
    default: return try model(configuration, types: types(configuration, fullEvery: 6), normCount: 4)
    }
  }

  /// Gemma 3 configurations leave out what equals the library's default, so the defaults stand here.
  private struct Defaults {
    var vocabulary: Int?
    var layers: Int?
    var intermediate: Int?
    var window = 4096
    var contextLimit = 8_192

    init(_ architecture: String) {
      guard architecture.hasPrefix("gemma3") else { return }
      vocabulary = 262_208
      layers = 26
      intermediate = 9_216
      contextLimit = 131_072
    }
  }

  private static func model(
    _ configuration: Configuration, types: [String]?, normCount: Int, extraParameters: Int = 0
  ) throws -> Model {
    let defaults = Defaults(configuration.architecture)
    try configuration.checkActivation("hidden_act", "hidden_activation")
    let hidden = try configuration.width("hidden_size", default: defaults.layers == nil ? nil : 2304)
    let attention = try attention(configuration)
    let count = try configuration.layerCount(default: defaults.layers)
    let window = try configuration.number("sliding_window", Configuration.Limit.tokens, defaults.window)
    let feedForward = FeedForward.dense(
      DenseFeedForward(
        width: try configuration.width("intermediate_size", default: defaults.intermediate), gated: true))
    let layers = try (types ?? Array(repeating: "full_attention", count: count)).map { type in
      Layer(
        mixers: [.attention(try configuration.windowed(attention, type: type, window: window))],
        feedForward: feedForward, norm: .rms, normCount: normCount)
    }
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: true)), layers: layers,
      finalNorm: .rms, vocabulary: try configuration.vocabulary(default: defaults.vocabulary),
      contextLimit: try configuration.contextLimit() ?? defaults.contextLimit, extraParameters: extraParameters)
  }

  private static func attention(_ configuration: Configuration) throws -> Attention {
    let third = configuration.architecture.hasPrefix("gemma3")
    let heads = try configuration.heads("num_attention_heads", default: third ? 8 : nil)
    let groups = try configuration.heads("num_key_value_heads", default: third ? 4 : nil)
    guard heads % groups == 0 else {
      throw configuration.error("num_key_value_heads", "found \(groups), which does not divide \(heads) heads")
    }
    let bias = try configuration.flag("attention_bias", default: false)
    return Attention(
      queryHeads: heads, kvHeads: groups, headWidth: try configuration.width("head_dim", default: 256),
      queryKeyValueBias: bias, outputBias: bias, queryKeyNorm: third ? .perHead : .none)
  }

  /// Sliding layers with a full one at regular places, unless the file lists them.
  private static func types(_ configuration: Configuration, fullEvery standard: Int) throws -> [String] {
    let count = try configuration.layerCount(default: standard == 6 ? 26 : nil)
    let known = ["full_attention", "sliding_attention"]
    if let types = try configuration.layerTypes(count: count, among: known) { return types }
    let period = try configuration.number("sliding_window_pattern", 1...1_024, standard)
    return (0..<count).map { ($0 + 1) % period == 0 ? known[0] : known[1] }
  }
}
