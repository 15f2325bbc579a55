/// Qwen3-Next: gated delta nets with a gated attention layer every fourth, and many small experts.
enum Qwen3NextFamily {
  static let family = ModelFamily(types: ["qwen3_next": "Qwen3NextForCausalLM"], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    try configuration.checkActivation("hidden_act")
    let hidden = try configuration.width("hidden_size")
    let attention = try attention(configuration, hidden: hidden)
    let delta = try gatedDelta(configuration, hidden: hidden)
    let networks = try QwenMoEFamily.feedForwards(configuration, shared: true)
    let layers = try zip(types(configuration), networks).map { type, network in
      Layer(
        mixers: [type == "full_attention" ? .attention(attention) : .recurrent(delta)], feedForward: network,
        norm: .rms)
    }
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false)), layers: layers,
      finalNorm: .rms)
  }

  private static func types(_ configuration: Configuration) throws -> [String] {
    let count = try configuration.layerCount()
    let known = ["full_attention", "linear_attention"]
    if let types = try configuration.layerTypes(count: count, among: known) { return types }
    let interval = try configuration.number("full_attention_interval", 1...1_024, 4)
    return (0..<count).map { ($0 + 1) % interval == 0 ? known[0] : known[1] }
  }

  private static func attention(_ configuration: Configuration, hidden: Int) throws -> Attention {
    var attention = try configuration.attention(hidden: hidden, headWidth: 256, kvHeads: 2)
    let bias = try configuration.flag("attention_bias", default: false)
    attention.queryKeyValueBias = bias
    attention.outputBias = bias
    attention.queryKeyNorm = .perHead
    attention.outputGate = true
    return attention
  }

  /// Every value head keeps a matrix of key width by value width, corrected towards each new value.
  private static func gatedDelta(_ configuration: Configuration, hidden: Int) throws -> Recurrent {
    let keyHeads = try configuration.heads("linear_num_key_heads")
    let valueHeads = try configuration.heads("linear_num_value_heads")
    let keyWidth = try configuration.width("linear_key_head_dim")
    let valueWidth = try configuration.width("linear_value_head_dim")
    guard valueHeads % keyHeads == 0 else {
      throw configuration.error(
        "linear_num_key_heads", "found \(keyHeads), which does not divide the \(valueHeads) value heads")
    }
    let kernel = try configuration.number("linear_conv_kernel_dim", 1...64, 4)
    let values = valueHeads * valueWidth
    let channels = 2 * keyHeads * keyWidth + values
    let state = values * keyWidth
    return Recurrent(
      kind: .gatedDelta,
      projections: [
        Projection(name: "in_proj_qkvz", inputs: hidden, outputs: channels + values),
        Projection(name: "in_proj_ba", inputs: hidden, outputs: 2 * valueHeads),
        Projection(name: "out_proj", inputs: values, outputs: hidden),
      ],
      stateElements: state + channels * (kernel - 1),
      scanFLOPsPerToken: Recurrent.decayPredictCorrectRead * state + 2 * channels * kernel,
      extraParameters: channels * kernel + 2 * valueHeads + valueWidth, heads: valueHeads, chunk: 64)
  }
}
