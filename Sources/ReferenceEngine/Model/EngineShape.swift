import Documents
import ModelGraph

/// What the engine needs to know of a model: the architecture, checked to be one it can run, and two constants.
package struct EngineShape: Sendable {
  package let model: Model
  package let attention: Attention
  package let rotary: RotaryEmbedding
  package let epsilon: Float
  /// Feed-forward networks, one a layer.
  package let networks: [FeedForward]

  package var hidden: Int { model.hidden }
  package var vocabulary: Int { model.vocabulary }
  package var layers: Int { networks.count }
  package var queryWidth: Int { attention.queryHeads * attention.headWidth }
  package var keyWidth: Int { attention.kvHeads * attention.headWidth }
  package var contextLimit: Int { model.contextLimit ?? 2048 }

  /// - Throws: `DataError`, naming the file and what the engine lacks.
  init(_ model: Model, rotary: RotaryEmbedding, epsilon: Double, file: String) throws {
    func refuse(_ problem: String) -> DataError {
      DataError(
        file: file,
        problem: "\(problem); the reference engine runs Llama-like decoders (RMSNorm, rotary, gated networks)")
    }
    let layers = model.decoder.runs.flatMap { Array(repeating: $0.layer, count: $0.count) }
    guard model.encoder == nil, model.embedding.learnedPositions == 0, model.embedding.width == nil,
      model.embedding.norm == nil, !model.embedding.headBias, model.decoder.finalNorm == .rms, let first = layers.first
    else { throw refuse("the ends of \(model.name) are not those of a Llama-like decoder") }
    guard case .attention(let attention)? = first.mixers.first else {
      throw refuse("layers of \(model.name) do not begin with attention")
    }
    for (index, layer) in layers.enumerated() {
      guard layer.mixers == [.attention(attention)], layer.crossAttention == nil, layer.norm == .rms,
        layer.normCount == 2, !layer.parallelResidual
      else { throw refuse("layer \(index) of \(model.name) is not like a Llama layer") }
    }
    guard Self.isPlain(attention, limit: model.contextLimit) else {
      throw refuse("the attention of \(model.name) has biases, norms, windows, gates or sinks")
    }
    for (name, width) in [("hidden_size", model.hidden), ("head_dim", attention.headWidth)]
    where width % 16 != 0 || width < 16 {
      throw DataError(file: file, field: name, problem: "found \(width), expected a multiple of 16")
    }
    networks = try layers.map { layer in
      guard let network = layer.feedForward, Self.isPlain(network) else {
        throw refuse("feed-forward networks of \(model.name) are not gated, have biases, or shared experts")
      }
      return network
    }
    self.model = model
    self.attention = attention
    self.rotary = rotary
    self.epsilon = Float(epsilon)
  }

  private static func isPlain(_ attention: Attention, limit: Int?) -> Bool {
    // A window as wide as the context hides nothing.
    let windowed = attention.window.map { $0 < limit ?? .max } ?? false
    return !windowed && !attention.queryKeyValueBias && !attention.outputBias && attention.queryKeyNorm == .none
      && !attention.outputGate && !attention.sinks && !attention.sharesEarlierKV && attention.rotary
      && attention.relativePositionEntries == 0 && attention.valueWidth == attention.headWidth
  }

  private static func isPlain(_ network: FeedForward) -> Bool {
    switch network {
    case .dense(let dense): dense.gated && !dense.bias && dense.width % 16 == 0
    case .mixture(let mixture):
      mixture.gated && !mixture.expertBias && mixture.shared == nil && mixture.expertWidth % 16 == 0
    }
  }
}
