import Quantities

extension Recurrent {
  /// FLOP a state element for one token: decay (1), add an outer product (2), read out (2).
  static let decayAddRead = 5
  /// FLOP a state element of a delta rule: decay (1), predict (2), correct (2), read out (2).
  static let decayPredictCorrectRead = 7

  /// What describes a Mamba-2 mixer.
  struct Mamba2Shape {
    var heads: Int
    var headWidth: Int
    /// State entries each channel keeps.
    var state: Int
    /// Groups of heads that share input and output maps.
    var groups: Int
    var kernel: Int
    var convolutionBias: Bool
    var projectionBias: Bool
    /// Whether a gated norm with weights precedes the output projection.
    var normed = true
    var chunk: Int
    var stateFormat: NumberFormat?
  }

  /// A Mamba-2 mixer: one wide projection in, a short convolution, a scan with scalar decay a head, one projection out.
  static func mamba2(_ shape: Mamba2Shape, hidden: Int) -> Recurrent {
    let inner = shape.heads * shape.headWidth
    let channels = inner + 2 * shape.groups * shape.state
    let convolution = channels * (shape.kernel + (shape.convolutionBias ? 1 : 0))
    return Recurrent(
      kind: .mamba2,
      projections: [
        Projection(
          name: "in_proj", inputs: hidden, outputs: inner + channels + shape.heads, bias: shape.projectionBias),
        Projection(name: "out_proj", inputs: inner, outputs: hidden, bias: shape.projectionBias),
      ],
      stateElements: inner * shape.state + channels * (shape.kernel - 1),
      scanFLOPsPerToken: decayAddRead * inner * shape.state + 2 * channels * shape.kernel,
      extraParameters: convolution + 3 * shape.heads + (shape.normed ? inner : 0), heads: shape.heads,
      chunk: shape.chunk, stateFormat: shape.stateFormat)
  }

  /// What describes a Mamba mixer of the first generation.
  struct MambaShape {
    var inner: Int
    var state: Int
    var kernel: Int
    /// Rank of the time step's projection.
    var rank: Int
    var convolutionBias: Bool
    var projectionBias: Bool
    /// Whether time step, input and output maps are normalised (Jamba).
    var normed = false
  }

  /// A Mamba mixer: every channel has its own decay, so the scan multiplies two exponentials' arguments besides.
  static func mamba(_ shape: MambaShape, hidden: Int) -> Recurrent {
    let convolution = shape.inner * (shape.kernel + (shape.convolutionBias ? 1 : 0))
    let norms = shape.normed ? shape.rank + 2 * shape.state : 0
    return Recurrent(
      kind: .mamba,
      projections: [
        Projection(name: "in_proj", inputs: hidden, outputs: 2 * shape.inner, bias: shape.projectionBias),
        Projection(name: "x_proj", inputs: shape.inner, outputs: shape.rank + 2 * shape.state),
        Projection(name: "dt_proj", inputs: shape.rank, outputs: shape.inner, bias: true),
        Projection(name: "out_proj", inputs: shape.inner, outputs: hidden, bias: shape.projectionBias),
      ],
      stateElements: shape.inner * (shape.state + shape.kernel - 1),
      scanFLOPsPerToken: (decayAddRead + 2) * shape.inner * shape.state + 2 * shape.inner * shape.kernel,
      extraParameters: convolution + shape.inner * (shape.state + 1) + norms, heads: shape.inner, chunk: 1)
  }
}

extension Configuration {
  /// A number that may be the word `auto`, for which `automatic` stands.
  func numberOrAuto(_ key: String, _ range: ClosedRange<Int>, automatic: Int) throws -> Int {
    guard let node = fields.optional(key) else { return automatic }
    if case .string("auto") = node.value { return automatic }
    return try node.int(in: range)
  }
}
