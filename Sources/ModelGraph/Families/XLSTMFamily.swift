import Quantities

/// xLSTM 7B: matrix-memory mixers (mLSTM) and gated networks.
enum XLSTMFamily {
  static let family = ModelFamily(types: ["xlstm": "xLSTMForCausalLM"], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    guard configuration.fields.optional("_xlstm_config") == nil else {
      throw configuration.error("_xlstm_config", "is the layout of small research models, not understood here")
    }
    let fields = configuration.fields
    let hidden = try configuration.width(fields.optional("hidden_size") == nil ? "embedding_dim" : "hidden_size")
    let layerKey = fields.optional("num_hidden_layers") == nil ? "num_blocks" : "num_hidden_layers"
    let bias = try configuration.flag("use_bias", default: false)
    let factor = try fields.optionalDouble("ffn_proj_factor", in: 0.001...1_000) ?? 2.667
    let multiple = try configuration.number("ffn_round_up_to_multiple_of", 1...65_536, 64)
    let width = roundUp(Double(hidden) * factor, to: multiple)
    let layer = Layer(
      mixers: [.recurrent(try mixer(configuration, hidden: hidden, bias: bias))],
      feedForward: .dense(DenseFeedForward(width: width, gated: true, bias: bias)), norm: bias ? .layer : .rms)
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: false)),
      layers: Array(repeating: layer, count: try configuration.layerCount(layerKey)),
      finalNorm: .rms)
  }

  /// Every head keeps a matrix of key width by value width, a normaliser of key width, and a running maximum.
  private static func mixer(_ configuration: Configuration, hidden: Int, bias: Bool) throws -> Recurrent {
    let heads = try configuration.heads("num_heads")
    let keys = try innerWidth(configuration, "qk_dim_factor", 0.5, hidden: hidden, heads: heads)
    let values = try innerWidth(configuration, "v_dim_factor", 1, hidden: hidden, heads: heads)
    let state = keys * values / heads
    let format = try configuration.fields.optionalString("inference_state_dtype") ?? "float32"
    return Recurrent(
      kind: .mlstm,
      projections: [
        Projection(name: "qkv_proj", inputs: hidden, outputs: 2 * keys + values, bias: bias),
        Projection(name: "ogate_proj", inputs: hidden, outputs: values, bias: bias),
        Projection(name: "ifgate_proj", inputs: hidden, outputs: 2 * heads, bias: true),
        Projection(name: "out_proj", inputs: values, outputs: hidden, bias: bias),
      ],
      stateElements: state + keys + heads, scanFLOPsPerToken: Recurrent.decayAddRead * (state + keys),
      extraParameters: bias ? 2 * values : values, heads: heads,
      chunk: try configuration.number("chunk_size", 1...65_536, 64), stateFormat: format == "float32" ? .fp32 : nil)
  }

  private static func innerWidth(
    _ configuration: Configuration, _ key: String, _ standard: Double, hidden: Int, heads: Int
  ) throws -> Int {
    let factor = try configuration.fields.optionalDouble(key, in: 0.001...64) ?? standard
    let width = roundUp(Double(hidden) * factor, to: 64)
    _ = try configuration.share(of: width, heads, "num_heads")
    return width
  }

  private static func roundUp(_ exact: Double, to multiple: Int) -> Int {
    (Int(exact) + multiple - 1) / multiple * multiple
  }
}
