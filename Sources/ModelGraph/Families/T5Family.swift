import Documents
import Quantities

/// T5, mT5 and Switch Transformers: an encoder and a decoder that also attends to the encoder's output.
enum T5Family {
  static let family = ModelFamily(
    types: [
      "t5": "T5ForConditionalGeneration", "mt5": "MT5ForConditionalGeneration",
      "switch_transformers": "SwitchTransformersForConditionalGeneration",
    ], read: read)

  static func read(_ configuration: Configuration) throws -> Model {
    let hidden = try configuration.width("d_model")
    let encoderLayers = try configuration.layerCount("num_layers")
    let decoderLayers = try configuration.layerCount("num_decoder_layers", default: encoderLayers)
    let encoder = try layers(
      configuration, sparse: sparseLayers(configuration, "num_sparse_encoder_layers", of: encoderLayers),
      crossAttention: false)
    let decoder = try layers(
      configuration, sparse: sparseLayers(configuration, "num_sparse_decoder_layers", of: decoderLayers),
      crossAttention: true)
    return try configuration.model(
      hidden: hidden, embedding: Embedding(tied: try configuration.tied(default: true)), layers: decoder,
      finalNorm: .rms, encoder: Stack(layers: encoder, finalNorm: .rms),
      contextLimit: try configuration.contextLimit("n_positions"))
  }

  /// One entry a layer: whether it has experts. T5 has none; a Switch stack that asks for none still gets its second
  /// layer with experts, as in the library.
  private static func sparseLayers(_ configuration: Configuration, _ key: String, of count: Int) throws -> [Bool] {
    guard configuration.architecture == "switch_transformers" else { return Array(repeating: false, count: count) }
    let sparse = try configuration.number(key, 0...count, 3)
    let step = sparse == 0 ? count : count / sparse
    return (0..<count).map { step == 1 || $0 % step == 1 }
  }

  /// The first layer of a stack holds the table of relative positions that all its layers use.
  private static func layers(
    _ configuration: Configuration, sparse: [Bool], crossAttention: Bool
  ) throws -> [Layer] {
    let attention = try attention(configuration)
    let buckets = try configuration.number("relative_attention_num_buckets", 1...65_536, 32)
    let dense = FeedForward.dense(try dense(configuration))
    let routed = try sparse.contains(true) ? FeedForward.mixture(mixture(configuration)) : dense
    return sparse.enumerated().map { index, isSparse in
      var own = attention
      own.relativePositionEntries = index == 0 ? buckets * attention.queryHeads : 0
      return Layer(
        mixers: [.attention(own)], crossAttention: crossAttention ? attention : nil,
        feedForward: isSparse ? routed : dense, norm: .rms, normCount: crossAttention ? 3 : 2)
    }
  }

  private static func attention(_ configuration: Configuration) throws -> Attention {
    let heads = try configuration.heads("num_heads")
    return Attention(
      queryHeads: heads, kvHeads: heads, headWidth: try configuration.width("d_kv"), rotary: false)
  }

  /// `feed_forward_proj` is an activation, with `gated-` before it when there is a third matrix.
  private static func dense(_ configuration: Configuration) throws -> DenseFeedForward {
    let known = ["relu", "gated-gelu", "gated-silu", "gelu", "silu"]
    let activation = try configuration.fields.optionalString("feed_forward_proj") ?? "relu"
    guard known.contains(activation) else {
      throw configuration.error(
        "feed_forward_proj", "found \(shown(activation)), expected one of \(known.joined(separator: ", "))",
        nearest: nearestName(to: activation, among: known))
    }
    return DenseFeedForward(width: try configuration.width("d_ff"), gated: activation.hasPrefix("gated"))
  }

  private static func mixture(_ configuration: Configuration) throws -> MixtureOfExperts {
    let experts = try configuration.experts("num_experts")
    let network = try dense(configuration)
    return MixtureOfExperts(
      experts: experts, expertsPerToken: 1, expertWidth: network.width, gated: network.gated,
      routerExtraParameters: try configuration.flag("router_bias", default: false) ? experts : 0)
  }
}
