import Documents
import ReferenceEngine

/// A model to measure: its configuration, in a form that `config.json` has.
package struct HostShape: Sendable, Hashable {
  package var hidden: Int
  package var layers: Int
  package var heads: Int
  package var kvHeads: Int
  package var network: Int
  package var vocabulary: Int

  /// Experts in every layer and how many of them a token visits; none in a dense model.
  package var experts = 0
  package var expertsPerToken = 0

  package var name: String {
    let mixture = experts > 0 ? ", \(expertsPerToken) of \(experts) experts" : ""
    return "\(layers) x \(hidden), \(heads)/\(kvHeads) heads, \(network)\(mixture)"
  }

  var configuration: String {
    let kind =
      experts > 0
      ? "\"mixtral\", \"num_local_experts\": \(experts), \"num_experts_per_tok\": \(expertsPerToken)" : "\"llama\""
    return """
      {"model_type": \(kind), "hidden_size": \(hidden), "num_hidden_layers": \(layers),
       "num_attention_heads": \(heads), "num_key_value_heads": \(kvHeads), "head_dim": 64,
       "intermediate_size": \(network), "vocab_size": \(vocabulary), "max_position_embeddings": 8192,
       "tie_word_embeddings": true, "torch_dtype": "float32"}
      """
  }

  func model(_ format: WeightFormat) throws -> EngineModel {
    try EngineModel.random(
      configuration: JSONDocument.parse(configuration, file: name), name: name,
      formats: .init(projections: format, tables: format))
  }

  /// The same with more layers where weights are narrow, so that caches do not hold them: predictions take them as cold.
  package func deep(for format: WeightFormat) -> HostShape {
    var shape = self
    let factor = format.numbers.bits < 6 ? 3.0 : format.numbers.bits < 10 ? 2.0 : 1.0
    shape.layers = Int(factor * Double(layers))
    return shape
  }

  /// Dense models and mixtures of 60 to 130 million parameters, more in narrow formats. Constants are fitted to the
  /// first half, and predictions scored on the second. Mixtures come last in both.
  package static let fitted = [
    HostShape(hidden: 768, layers: 8, heads: 12, kvHeads: 12, network: 2304, vocabulary: 16_384),
    HostShape(hidden: 1024, layers: 6, heads: 16, kvHeads: 2, network: 3584, vocabulary: 8192),
    HostShape(hidden: 1536, layers: 4, heads: 24, kvHeads: 4, network: 4608, vocabulary: 8192),
    HostShape(hidden: 512, layers: 12, heads: 8, kvHeads: 8, network: 1792, vocabulary: 49_152),
    HostShape(
      hidden: 512, layers: 6, heads: 8, kvHeads: 4, network: 1024, vocabulary: 16_384, experts: 8, expertsPerToken: 2),
    HostShape(
      hidden: 768, layers: 4, heads: 12, kvHeads: 4, network: 512, vocabulary: 8192, experts: 16, expertsPerToken: 4),
  ]
  package static let scored = [
    HostShape(hidden: 1152, layers: 5, heads: 18, kvHeads: 6, network: 3072, vocabulary: 12_288),
    HostShape(hidden: 704, layers: 9, heads: 11, kvHeads: 11, network: 1920, vocabulary: 24_576),
    HostShape(hidden: 960, layers: 8, heads: 15, kvHeads: 5, network: 2560, vocabulary: 16_384),
    HostShape(hidden: 1280, layers: 4, heads: 20, kvHeads: 4, network: 3456, vocabulary: 20_480),
    HostShape(
      hidden: 576, layers: 6, heads: 9, kvHeads: 3, network: 768, vocabulary: 16_384, experts: 10, expertsPerToken: 2),
    HostShape(
      hidden: 896, layers: 3, heads: 14, kvHeads: 2, network: 704, vocabulary: 8192, experts: 16, expertsPerToken: 2),
  ]

  /// Whether constants are fitted to it, whatever number of layers it was given.
  package var isFitted: Bool {
    HostShape.fitted.contains { shape in
      var shape = shape
      shape.layers = layers
      return shape == self
    }
  }

  /// Some shapes for a format: every second one, by turns of formats, so that each shape is seen and none takes all of
  /// the time. Both halves have an even number of shapes.
  package static func chosen(_ shapes: [HostShape], for format: WeightFormat) -> [HostShape] {
    let turn = (WeightFormat.allCases.firstIndex(of: format) ?? 0) % 2
    return shapes.indices.filter { $0 % 2 == turn }.map { shapes[$0].deep(for: format) }
  }
}

/// A step to measure: a prompt, or one decode of some sequences.
package enum HostStep: Sendable, Hashable {
  case prefill(tokens: Int)
  case decode(sequences: Int, context: Int)

  package var name: String {
    switch self {
    case .prefill(let tokens): "prefill of \(tokens)"
    case .decode(let sequences, let context): "decode of \(sequences) at \(context)"
    }
  }

  package var isDecode: Bool { if case .decode = self { true } else { false } }

  /// Tokens of cache it needs.
  var cached: Int {
    switch self {
    case .prefill(let tokens): tokens
    case .decode(let sequences, let context): sequences * (context + 16)
    }
  }

  /// Tokens it computes.
  var rows: Int {
    switch self {
    case .prefill(let tokens): tokens
    case .decode(let sequences, _): sequences
    }
  }

  /// Prompts of 16 to 2048 tokens, batches of 1 to 32, contexts of 16 to 4096.
  package static let grid: [HostStep] =
    [16, 64, 100, 256, 1024, 2048].map { .prefill(tokens: $0) }
    + [
      (1, 16), (1, 512), (1, 4096), (2, 128), (3, 700), (4, 1024), (6, 256), (8, 64), (8, 512), (12, 128), (16, 256),
      (24, 64), (32, 32), (32, 128),
    ].map { .decode(sequences: $0.0, context: $0.1) }
}
