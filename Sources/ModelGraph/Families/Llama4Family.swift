/// Llama 4: chunked attention with a full layer every fourth, experts beside a shared one every so many layers.
///
/// A chunk is modelled as a window of the same length, the most a query of a chunked layer ever sees.
enum Llama4Family {
  static let family = ModelFamily(
    types: ["llama4": "Llama4ForConditionalGeneration", "llama4_text": "Llama4ForCausalLM"], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    guard configuration.architecture == "llama4" else { return try text(configuration, extraParameters: 0) }
    let inner = try configuration.text()
    let tower = try VisionTower.llama4(configuration, textHidden: inner.width("hidden_size"))
    return try text(inner, extraParameters: tower)
  }

  private static func text(_ configuration: Configuration, extraParameters: Int) throws -> Model {
    try configuration.checkActivation("hidden_act")
    let hidden = try configuration.width("hidden_size")
    let attentions = try attentions(configuration, hidden: hidden)
    let networks = try feedForwards(configuration)
    let layers = zip(attentions, networks).map { attention, network in
      Layer(mixers: [.attention(attention)], feedForward: network, norm: .rms)
    }
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false)), layers: layers,
      finalNorm: .rms, extraParameters: extraParameters)
  }

  /// Queries and keys are normalised without weights, so no norm is counted for them.
  private static func attentions(_ configuration: Configuration, hidden: Int) throws -> [Attention] {
    var attention = try configuration.attention(hidden: hidden, headWidth: 128, kvHeads: 8)
    let bias = try configuration.flag("attention_bias", default: false)
    attention.queryKeyValueBias = bias
    attention.outputBias = bias
    let count = try configuration.layerCount()
    let rotary = try rotaryLayers(configuration, count: count)
    let known = ["chunked_attention", "full_attention"]
    let types =
      try configuration.layerTypes(count: count, among: known) ?? rotary.map { $0 ? known[0] : known[1] }
    let chunk = try configuration.number("attention_chunk_size", Configuration.Limit.tokens, 8192)
    return zip(types, rotary).map { type, rotary in
      var layer = attention
      layer.rotary = rotary
      layer.window = type == known[0] ? chunk : nil
      return layer
    }
  }

  private static func rotaryLayers(_ configuration: Configuration, count: Int) throws -> [Bool] {
    let marks = try configuration.numbers("no_rope_layers", in: 0...1)
    guard marks.isEmpty || marks.count == count else {
      throw configuration.error("no_rope_layers", "has \(marks.count) entries, expected one for \(count) layers")
    }
    if !marks.isEmpty { return marks.map { $0 == 1 } }
    let interval = try configuration.number("no_rope_layer_interval", 1...1_024, 4)
    return (0..<count).map { ($0 + 1) % interval != 0 }
  }

  private static func feedForwards(_ configuration: Configuration) throws -> [FeedForward] {
    let count = try configuration.layerCount()
    let interval = try configuration.number("interleave_moe_layer_step", 1...1_024, 1)
    let listed = try configuration.numbers("moe_layers", in: 0...count - 1)
    let routed = Set(listed.isEmpty ? (0..<count).filter { ($0 + 1) % interval == 0 } : listed)
    let width = try configuration.width("intermediate_size")
    let experts = try configuration.experts("num_local_experts")
    let mixture = FeedForward.mixture(
      MixtureOfExperts(
        experts: experts, expertsPerToken: try configuration.expertsPerToken("num_experts_per_tok", of: experts),
        expertWidth: width, shared: DenseFeedForward(width: width, gated: true)))
    let dense = FeedForward.dense(
      DenseFeedForward(width: try configuration.width("intermediate_size_mlp"), gated: true))
    return (0..<count).map { routed.contains($0) ? mixture : dense }
  }
}
