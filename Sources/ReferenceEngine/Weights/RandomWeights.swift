import CKernels

/// Weights drawn at random: the same for the same seed on every machine.
///
/// Matrices keep the size of what passes through them: uniform values of variance 1 / inner. Norms are one.
struct RandomWeights: WeightSource {
  let seed: UInt64

  func publishedFormat(_: TensorRole) throws -> WeightFormat { .f32 }

  func rows(_ role: TensorRole, count: Int, inner: Int) throws -> WeightRows {
    let scratch = FloatBuffer(count: inner)
    if role.isNorm { for index in 0..<inner { scratch.start[index] = 1 } }
    let scale = (3 / Float(inner)).squareRoot()
    let base = role.seed(seed)
    return WeightRows(count: count) { index, body in
      if !role.isNorm {
        rk_random(base &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15, scale, Int64(inner), scratch.start)
      }
      body(.f32, UnsafeRawPointer(scratch.start))
    }
  }
}

extension TensorRole {
  fileprivate var isNorm: Bool {
    switch self {
    case .finalNorm, .attentionNorm, .feedForwardNorm: true
    default: false
    }
  }

  /// A seed for each tensor: FNV-1a over its name.
  fileprivate func seed(_ seed: UInt64) -> UInt64 {
    "\(self)".utf8.reduce(seed ^ 0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
