import Documents
import Quantities

/// The fields of one configuration, read with the checks and defaults that families share.
struct Configuration {
  let fields: ObjectReader
  /// `model_type` of the document.
  let architecture: String
  /// The name the model was asked for by.
  let name: String
  /// The table around `text_config`, when the language model is a part of a larger one.
  var outer: ObjectReader?

  /// Bounds that keep every product of a few of them inside 64 bits; real models stay far below.
  enum Limit {
    static let width = 1...262_144
    static let heads = 1...65_536
    static let layers = 1...1_024
    static let experts = 1...4_096
    static let vocabulary = 1...16_777_216
    static let tokens = 1...1_000_000_000
  }

  /// The language model inside a multimodal configuration.
  func text() throws -> Configuration {
    let inner = try fields.required("text_config").object()
    return Configuration(fields: inner, architecture: architecture, name: name, outer: fields)
  }

  // MARK: Single fields

  func error(_ key: String, _ problem: String, nearest: String? = nil) -> DataError {
    fields.optional(key)?.error(problem, nearest: nearest) ?? fields.node.error("'\(key)' \(problem)", nearest: nearest)
  }

  /// A width in elements.
  func width(_ key: String, default standard: Int? = nil) throws -> Int {
    try number(key, Limit.width, standard)
  }

  func optionalWidth(_ key: String) throws -> Int? { try fields.optionalInt(key, in: Limit.width) }

  func heads(_ key: String, default standard: Int? = nil) throws -> Int { try number(key, Limit.heads, standard) }

  func layerCount(_ key: String = "num_hidden_layers", default standard: Int? = nil) throws -> Int {
    try number(key, Limit.layers, standard)
  }

  func experts(_ key: String, default standard: Int? = nil) throws -> Int { try number(key, Limit.experts, standard) }

  /// How many of `experts` a token visits.
  func expertsPerToken(_ key: String, of experts: Int, default standard: Int? = nil) throws -> Int {
    let chosen = try number(key, Limit.experts, standard)
    guard chosen <= experts else { throw error(key, "found \(chosen), but there are only \(experts) experts") }
    return chosen
  }

  func flag(_ key: String, default standard: Bool) throws -> Bool { try fields.optionalBool(key) ?? standard }

  /// A small whole number such as a kernel width, an interval or an index.
  func number(_ key: String, _ range: ClosedRange<Int>, _ standard: Int? = nil) throws -> Int {
    if let standard, fields.optional(key) == nil { return standard }
    return try fields.int(key, in: range)
  }

  /// Refuses a switch that changes cost in a way this reader does not model.
  func refuse(_ key: String, unless expected: Bool = false) throws {
    if let found = try fields.optionalBool(key), found != expected {
      throw error(key, "found \(found), a variant that is not understood here")
    }
  }

  // MARK: What most decoders have

  func vocabulary(default standard: Int? = nil) throws -> Int {
    try number("vocab_size", Limit.vocabulary, standard)
  }

  func contextLimit(_ key: String = "max_position_embeddings") throws -> Int? {
    try fields.optionalInt(key, in: Limit.tokens)
  }

  /// Whether the head reuses the token table; a multimodal wrapper's own word counts when the inner one is silent.
  func tied(default standard: Bool) throws -> Bool {
    try fields.optionalBool("tie_word_embeddings") ?? outer?.optionalBool("tie_word_embeddings") ?? standard
  }

  /// Checks that an activation is a known one; which it is costs nothing, an unknown one may hide another structure.
  func checkActivation(_ keys: String...) throws {
    let known = [
      "silu", "swish", "swiglu", "relu", "relu2", "gelu", "gelu_new", "gelu_fast", "gelu_python", "gelu_tanh",
      "gelu_pytorch_tanh", "quick_gelu",
    ]
    for key in keys {
      guard let found = try fields.optionalString(key), !known.contains(found) else { continue }
      throw error(
        key, "found \(shown(found)), which is not an activation understood here",
        nearest: nearestName(to: found, among: known))
    }
  }

  /// Grouped attention over the whole context, from the usual keys.
  /// - Parameters:
  ///   - headWidth: The architecture's own default; nothing means `hidden_size / num_attention_heads`.
  ///   - kvHeads: The architecture's own default; nothing means one for each query head.
  func attention(hidden: Int, headWidth: Int? = nil, kvHeads: Int? = nil) throws -> Attention {
    let heads = try heads("num_attention_heads")
    let groups = try self.heads("num_key_value_heads", default: kvHeads ?? heads)
    guard heads % groups == 0 else {
      throw error("num_key_value_heads", "found \(groups), which does not divide the \(heads) attention heads")
    }
    let width = try optionalWidth("head_dim") ?? headWidth ?? share(of: hidden, heads, "num_attention_heads")
    return Attention(queryHeads: heads, kvHeads: groups, headWidth: width)
  }

  /// An equal share of a width.
  func share(of width: Int, _ parts: Int, _ key: String) throws -> Int {
    guard width % parts == 0 else { throw error(key, "found \(parts), which does not divide the width \(width)") }
    return width / parts
  }

  /// `layer_types` as published, one entry a layer; nothing when the key is absent.
  func layerTypes(_ key: String = "layer_types", count: Int, among known: [String]) throws -> [String]? {
    guard let list = fields.optional(key) else { return nil }
    let items = try list.array()
    guard items.count == count else { throw list.error("has \(items.count) entries, expected one for \(count) layers") }
    return try items.map { item in
      let type = try item.string()
      guard known.contains(type) else {
        throw item.error(
          "found \(shown(type)), expected one of \(known.joined(separator: ", "))",
          nearest: nearestName(to: type, among: known))
      }
      return type
    }
  }

  /// A list of whole numbers; empty when the key is absent.
  func numbers(_ key: String, in range: ClosedRange<Int>) throws -> [Int] {
    try fields.optionalArray(key).map { try $0.int(in: range) }
  }

  /// Sets the window on layers whose type says so.
  func windowed(_ attention: Attention, type: String, window: Int?) throws -> Attention {
    var copy = attention
    if type != "full_attention" {
      guard let window else { throw error("sliding_window", "is missing, but layer_types has \(type)") }
      copy.window = window
    }
    return copy
  }

  // MARK: The whole

  /// Format of the published weights: `torch_dtype`, since 2025 `dtype`. Absent in files from before the key existed,
  /// whose weights are float32. Quantisation that a file describes besides is not read.
  func publishedFormat() throws -> NumberFormat {
    for table in [fields, outer].compactMap({ $0 }) {
      guard let node = table.optional("torch_dtype") ?? table.optional("dtype") else { continue }
      let text = try node.string()
      switch text {
      case "float32", "float": return .fp32
      case "float16", "half": return .fp16
      case "bfloat16": return .bf16
      case let text where text.hasPrefix("float8"): return .fp8
      default: throw node.error("found \(shown(text)), expected float32, float16, bfloat16 or a float8 format")
      }
    }
    return .fp32
  }

  /// Puts the parts together; the vocabulary, the context and the format come from the usual keys.
  func model(
    hidden: Int, embedding: Embedding, layers: [Layer], finalNorm: Norm, encoder: Stack? = nil,
    vocabulary: Int? = nil, contextLimit: Int? = nil, extraParameters: Int = 0
  ) throws -> Model {
    let decoder = Stack(layers: layers, finalNorm: finalNorm)
    for run in decoder.runs + (encoder?.runs ?? []) {
      for mixer in run.layer.mixers { try checkSize(mixer) }
    }
    return Model(
      name: name, architecture: architecture, vocabulary: try vocabulary ?? self.vocabulary(), hidden: hidden,
      embedding: embedding, encoder: encoder, decoder: decoder,
      contextLimit: try contextLimit ?? self.contextLimit(), publishedFormat: try publishedFormat(),
      extraParameters: extraParameters)
  }

  /// Refuses products of fields that are each in range but together beyond any real model, so that counting cannot
  /// overflow.
  private func checkSize(_ mixer: Mixer) throws {
    let widest: Int
    switch mixer {
    case .attention(let attention): widest = attention.queryHeads * max(attention.headWidth, attention.valueWidth)
    case .latentAttention(let latent):
      widest = latent.heads * (latent.nopeWidth + max(latent.ropeWidth, latent.valueWidth))
    case .recurrent(let recurrent): widest = recurrent.projections.map { max($0.inputs, $0.outputs) }.max() ?? 0
    case .linear(let width): widest = width
    }
    guard widest <= 16 * Limit.width.upperBound else {
      throw fields.node.error("describes a layer \(widest) channels wide, which is beyond any real model")
    }
  }
}
