import Documents
import ModelGraph
import Quantities

/// A GGUF file's metadata as an architecture.
struct GGUFConfiguration {
  let file: GGUFFile

  init(_ file: GGUFFile) { self.file = file }

  /// - Throws: `DataError` for another architecture than llama, or numbers that make no sense.
  func shape() throws -> EngineShape {
    let architecture = try file.text("general.architecture")
    guard architecture == "llama" else {
      throw file.error("general.architecture", "found \(shown(architecture)), expected llama")
    }
    return try EngineShape(
      model(), rotary: rotary(),
      epsilon: file.optionalReal("llama.attention.layer_norm_rms_epsilon", in: 1e-12...0.1) ?? 1e-5,
      file: file.file.path)
  }

  private func model() throws -> Model {
    let hidden = try file.int("llama.embedding_length", in: 16...262_144)
    let attention = try attention(hidden: hidden)
    let layer = Layer(
      mixers: [.attention(attention)], feedForward: try network(), norm: .rms, normCount: 2)
    let count = try file.int("llama.block_count", in: 1...1024)
    let tokens = try file.tensor("token_embd.weight")
    let vocabulary = tokens.shape.first ?? 0
    guard tokens.shape.count == 2, (1...16_777_216).contains(vocabulary) else {
      throw file.error(tokens.name, "has the shape \(tokens.shape), expected a table of tokens")
    }
    return Model(
      name: "gguf", architecture: "llama", vocabulary: vocabulary, hidden: hidden,
      embedding: Embedding(tied: try file.optionalTensor("output.weight") == nil),
      decoder: Stack(layers: Array(repeating: layer, count: count), finalNorm: .rms),
      contextLimit: try file.int("llama.context_length", in: 1...1_000_000_000))
  }

  private func attention(hidden: Int) throws -> Attention {
    let heads = try file.int("llama.attention.head_count", in: 1...65_536)
    let kvHeads = try file.optionalInt("llama.attention.head_count_kv", in: 1...65_536) ?? heads
    guard heads % kvHeads == 0 else {
      throw file.error("llama.attention.head_count_kv", "found \(kvHeads), which does not divide \(heads) heads")
    }
    let width = try file.optionalInt("llama.attention.key_length", in: 16...4096) ?? hidden / heads
    let rotated = try file.optionalInt("llama.rope.dimension_count", in: 1...4096) ?? width
    guard rotated == width else {
      throw file.error("llama.rope.dimension_count", "found \(rotated), expected the \(width) elements of a head")
    }
    return Attention(queryHeads: heads, kvHeads: kvHeads, headWidth: width)
  }

  private func network() throws -> FeedForward {
    let width = try file.int("llama.feed_forward_length", in: 1...262_144)
    let experts = try file.optionalInt("llama.expert_count", in: 0...4096) ?? 0
    guard experts > 0 else { return .dense(DenseFeedForward(width: width, gated: true)) }
    let chosen = try file.int("llama.expert_used_count", in: 1...experts)
    return .mixture(MixtureOfExperts(experts: experts, expertsPerToken: chosen, expertWidth: width))
  }

  private func rotary() throws -> RotaryEmbedding {
    for key in ["llama.rope.scaling.type", "llama.rope.scale_linear"] where file.metadata[key] != nil {
      if case .text("none") = try file.required(key) { continue }
      throw file.error(key, "is set; scaled rotary embeddings are not read from GGUF files")
    }
    guard try file.optionalTensor("rope_freqs.weight") == nil else {
      throw file.error("rope_freqs.weight", "is there; scaled rotary embeddings are not read from GGUF files")
    }
    return RotaryEmbedding(base: try file.optionalReal("llama.rope.freq_base", in: 1...1e9) ?? 10_000)
  }
}
