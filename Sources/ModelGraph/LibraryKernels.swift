import Quantities

/// How a runtime's library runs what serving engines fuse: its attention, and the passes it makes over activations.
///
/// Counts are of what the public modelling code of Hugging Face Transformers (v4.36 to v4.47, `modeling_llama.py`) and
/// PyTorch's eager operators do: one kernel an operator, each reading its inputs from memory and writing its result there.
package struct LibraryKernels: Sendable, Hashable {
  package var attention = AttentionKernel.paged
  package var unfused: Set<UnfusedPass> = []

  package init() {}
}

/// The kernels that attention runs in.
package enum AttentionKernel: String, CaseIterable, Sendable {
  /// A serving engine's own, made for decoding.
  case paged
  /// FlashAttention-2 by `flash_attn_func`, whose queries fill tiles of 128 rows, or of 64 where keys are split.
  case flashAttention2 = "flash-attention-2"
  /// The same inside PyTorch, after keys and values were copied to every query head they serve.
  case sdpa
  /// Two batched products with the scores between them in memory.
  case eager
}

/// What runs in passes of its own where a library fuses nothing.
package enum UnfusedPass: String, CaseIterable, Sendable {
  /// RMSNorm widened to FP32 and back; LayerNorm is one kernel everywhere.
  case norm
  case rotary
  /// Scale, mask and FP32 round trip of scores that lie in memory.
  case softmax
  /// A gate's activation and its product.
  case activation
  /// Additions to the residual stream, which others join to the next norm.
  case residual
  /// Queries, keys and values, and gate and up, each a product of its own.
  case projections
  /// Experts one after another.
  case experts
}

/// Elements that passes read and write for each element they work on, and the kernels they start.
struct PassCost {
  /// In the stream's format, and in FP32.
  var streamed = 0.0
  var wide = 0.0
  var launches = 0

  static func + (a: PassCost, b: PassCost) -> PassCost {
    PassCost(streamed: a.streamed + b.streamed, wide: a.wide + b.wide, launches: a.launches + b.launches)
  }

  static func * (a: PassCost, share: Double) -> PassCost {
    PassCost(streamed: a.streamed * share, wide: a.wide * share, launches: a.launches)
  }

  func bytes(of elements: Double, stream: NumberFormat) -> Bytes {
    stream.size(of: streamed * elements) + NumberFormat.fp32.size(of: wide * elements)
  }
}

extension LibraryKernels {
  func runs(_ pass: UnfusedPass) -> Bool { unfused.contains(pass) }

  /// A norm, with the addition to the residual stream where that is fused into it: two reads and two writes then.
  ///
  /// Unfused RMSNorm: to FP32, square, mean, add epsilon, reciprocal root, product, back to 16 bits, weight.
  func norm(_ norm: Norm) -> PassCost {
    let adds = runs(.residual) ? 0.0 : 2
    guard runs(.norm), norm == .rms else { return PassCost(streamed: 2 + adds, launches: 1) }
    return PassCost(streamed: 4 + adds, wide: 7, launches: 8)
  }

  /// Rotation of queries or keys. Unfused: product with the cosine, half negated, halves joined, product with the sine, sum.
  var rotation: PassCost {
    runs(.rotary) ? PassCost(streamed: 10, launches: 5) : PassCost(streamed: 2, launches: 1)
  }

  /// An activation, for each element of the intermediate width.
  func activation(gated: Bool) -> PassCost {
    guard gated else { return PassCost(streamed: 2, launches: 1) }
    return runs(.activation) ? PassCost(streamed: 5, launches: 2) : PassCost(streamed: 3, launches: 1)
  }

  /// Scores in memory, for each: written by one product, through softmax, read by the other. Unfused softmax also divides,
  /// masks, leaves FP32 and returns to 16 bits.
  var scores: PassCost {
    runs(.softmax) ? PassCost(streamed: 8, wide: 2, launches: 4) : PassCost(streamed: 4, launches: 1)
  }

  /// Times a kernel starts where one product stands for several matrices.
  func launches(projections: Int) -> Int { runs(.projections) ? max(1, projections) : 1 }
}
