import ModelGraph
import Quantities

/// One layer's weights, packed for the kernels.
struct LayerWeights {
  let attentionNorm: FloatBuffer
  /// Queries, keys and values in one.
  let queryKeyValue: PackedMatrix
  let attentionOutput: PackedMatrix
  let feedForwardNorm: FloatBuffer
  let network: Network

  enum Network {
    case dense(GatedNetwork)
    case mixture(router: PackedMatrix, experts: [GatedNetwork], chosen: Int)
  }

  /// Matrices of this layer.
  var matrices: [PackedMatrix] {
    switch network {
    case .dense(let network): [queryKeyValue, attentionOutput, network.gateUp, network.down]
    case .mixture(let router, let experts, _):
      [queryKeyValue, attentionOutput, router] + experts.flatMap { [$0.gateUp, $0.down] }
    }
  }
}

/// Gate and up projections in one, and the way down.
struct GatedNetwork {
  let gateUp: PackedMatrix
  let down: PackedMatrix
}

/// Brings the weights of a model into packed form.
struct WeightLoader {
  let shape: EngineShape
  let source: any WeightSource
  /// The format of projections; the file's own where nothing is given.
  let format: WeightFormat?
  /// The format of the token table and the head.
  let tableFormat: WeightFormat?

  func matrix(_ parts: [(role: TensorRole, columns: Int)], inner: Int, as given: WeightFormat?) throws -> PackedMatrix {
    let published = try given ?? common(parts.map(\.role))
    let matrix = PackedMatrix(
      Self.fitting(published, inner), columns: parts.reduce(0) { $0 + $1.columns }, inner: inner)
    var first = 0
    for (role, columns) in parts {
      matrix.fill(from: first, try source.rows(role, count: columns, inner: inner))
      first += columns
    }
    return matrix
  }

  /// Rows that blocks do not divide stay in f32, as in files of quantised weights.
  private static func fitting(_ format: WeightFormat, _ inner: Int) -> WeightFormat {
    inner % format.blockWidth == 0 ? format : .f32
  }

  /// The format of parts that become one matrix: theirs if it is one, else f32.
  private func common(_ roles: [TensorRole]) throws -> WeightFormat {
    let formats = try roles.map(source.publishedFormat)
    return Set(formats).count == 1 ? formats[0] : .f32
  }

  func table(_ role: TensorRole) throws -> PackedMatrix {
    try matrix([(role, shape.vocabulary)], inner: shape.hidden, as: tableFormat)
  }

  func layer(_ index: Int) throws -> LayerWeights {
    let (hidden, queryWidth, keyWidth) = (shape.hidden, shape.queryWidth, shape.keyWidth)
    return LayerWeights(
      attentionNorm: try source.vector(.attentionNorm(layer: index), count: hidden),
      queryKeyValue: try matrix(
        [(.query(layer: index), queryWidth), (.key(layer: index), keyWidth), (.value(layer: index), keyWidth)],
        inner: hidden, as: format),
      attentionOutput: try matrix([(.attentionOutput(layer: index), hidden)], inner: queryWidth, as: format),
      feedForwardNorm: try source.vector(.feedForwardNorm(layer: index), count: hidden),
      network: try network(index))
  }

  private func network(_ index: Int) throws -> LayerWeights.Network {
    switch shape.networks[index] {
    case .dense(let dense):
      return .dense(
        try gated(.gate(layer: index), .up(layer: index), .down(layer: index), width: dense.width))
    case .mixture(let mixture):
      let router = try matrix([(.router(layer: index), mixture.experts)], inner: shape.hidden, as: .f32)
      let experts = try (0..<mixture.experts).map { expert in
        try gated(
          .expertGate(layer: index, expert: expert), .expertUp(layer: index, expert: expert),
          .expertDown(layer: index, expert: expert), width: mixture.expertWidth)
      }
      return .mixture(router: router, experts: experts, chosen: mixture.expertsPerToken)
    }
  }

  private func gated(_ gate: TensorRole, _ up: TensorRole, _ down: TensorRole, width: Int) throws -> GatedNetwork {
    GatedNetwork(
      gateUp: try matrix([(gate, width), (up, width)], inner: shape.hidden, as: format),
      down: try matrix([(down, shape.hidden)], inner: width, as: format))
  }
}
