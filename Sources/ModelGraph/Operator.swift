import Quantities

/// One kind of work in a step, as one device of the plan does it.
///
/// FLOPs, traffic and messages are of one instance; `count` instances run one after another (one a layer, usually).
package struct Operator: Sendable {
  package var name: String
  package var kind: OperatorKind
  package var count: Int
  /// Kernels that one instance starts.
  package var launches = 1
  /// Floating-point operations, two a multiply-accumulate.
  package var flops: FLOPs
  package var traffic: Traffic
  /// Format of its arithmetic.
  package var compute: NumberFormat
  /// Work on vector units beside the multiplication: expanding narrow weights, adding up binary products.
  package var vectorWork = FLOPs.zero
  /// Formats of attention's two products where they are not `compute`.
  package var attention: AttentionArithmetic?
  /// Which part of a step decides its size.
  package var scope: Scope

  /// The part of a ``StepShape`` an operator depends on, so that steps can be tabulated part by part.
  package enum Scope: Sendable {
    /// The number of tokens, whatever their phase.
    case tokens
    /// The number of tokens that get logits.
    case sampled
    case decode, prefill, encoder
  }

  package init(
    name: String, kind: OperatorKind, count: Int, flops: FLOPs, traffic: Traffic, compute: NumberFormat,
    scope: Scope = .tokens
  ) {
    self.scope = scope
    self.name = name
    self.kind = kind
    self.count = count
    self.compute = compute
    self.flops = flops
    self.traffic = traffic
  }

  /// Kernels that all instances start.
  package var allLaunches: Int { count * launches }

  package var arithmeticIntensity: FLOPsPerByte? {
    traffic.total > .zero ? flops / traffic.total : nil
  }
}

/// What an operator is, with the shape that decides its efficiency.
package enum OperatorKind: Sendable, Equatable {
  /// `rows x inner` times `inner x columns`.
  case gemm(GEMMShape)
  /// One GEMM for each expert visited.
  case expertGEMM(ExpertGEMMShape)
  case decodeAttention(DecodeAttentionShape)
  case prefillAttention(PrefillAttentionShape)
  /// Work that streams through memory: norm, rotary, activation, residual, permutation.
  case elementwise(ElementwiseKind)
  case recurrentScan
  case collective(CollectiveShape)

  /// Whether matrices are multiplied, by experts or by all.
  package var isProduct: Bool {
    switch self {
    case .gemm, .expertGEMM: true
    case .decodeAttention, .prefillAttention, .elementwise, .recurrentScan, .collective: false
    }
  }

  /// The kind's name in tables.
  package var label: String {
    switch self {
    case .gemm: "gemm"
    case .expertGEMM: "expert_gemm"
    case .decodeAttention: "attention_decode"
    case .prefillAttention: "attention_prefill"
    case .elementwise(let kind): kind.rawValue
    case .recurrentScan: "recurrent_scan"
    case .collective(let shape): shape.kind.rawValue
    }
  }
}

package struct GEMMShape: Sendable, Equatable {
  package var rows: Int
  package var columns: Int
  package var inner: Int

  package init(rows: Int, columns: Int, inner: Int) {
    self.rows = rows
    self.columns = columns
    self.inner = inner
  }
}

package struct ExpertGEMMShape: Sendable, Equatable {
  /// Token visits to this device's experts.
  package var visits: Double
  /// Experts of this device that at least one token visits, expected.
  package var activeExperts: Double
  package var columns: Int
  package var inner: Int
  /// Mean visits to an active expert by eighths of them, least visited first.
  package var loads: SIMD8<Double>
  /// Whether every step has exactly these loads; otherwise they vary about them.
  package var isExact: Bool

  /// Tiles of `rows` rows that the active experts need. An expert's last tile is half full on average where loads vary.
  package func tiles(_ rows: Double) -> Double {
    let full = loads / rows
    if isExact { return activeExperts / 8 * full.rounded(.up).sum() }
    let expected = full + SIMD8(repeating: 0.5 * (1 - 1 / rows))
    return activeExperts / 8 * pointwiseMax(expected, SIMD8(repeating: 1)).sum()
  }
}

package struct DecodeAttentionShape: Sendable, Equatable {
  package var sequences: Int
  /// Query and KV heads on this device; latent attention has one KV head.
  package var queryHeads: Int
  package var kvHeads: Int
  /// Elements of a key and its value together.
  package var pairWidth: Int
  /// Query rows of one KV head of a sequence, where a kernel pads them to tiles made for prompts.
  package var tiledRows: Int? = nil
}

package struct PrefillAttentionShape: Sendable, Equatable {
  package var sequences: Int
  package var tokens: Int
  package var queryHeads: Int
  package var kvHeads: Int
  package var headWidth: Int
}

package enum ElementwiseKind: String, Sendable {
  case norm, rotary, activation, residual, embedding, permutation
}

package struct CollectiveShape: Sendable, Equatable {
  package enum Kind: String, Sendable {
    case allReduce = "all_reduce"
    case allGather = "all_gather"
    case allToAll = "all_to_all"
    case pointToPoint = "point_to_point"
  }

  package var kind: Kind
  /// Devices that take part; of a point-to-point message, the stages of the pipeline it belongs to.
  package var ranks: Int
  /// Devices from one rank to the next, where others stand between them.
  package var stride = 1
  /// What each rank contributes.
  package var message: Bytes

  package init(kind: Kind, ranks: Int, stride: Int = 1, message: Bytes) {
    self.kind = kind
    self.ranks = ranks
    self.stride = stride
    self.message = message
  }
}

/// Bytes an operator moves through main memory, by tensor role.
package struct Traffic: Sendable, Equatable {
  package var weights: Bytes = .zero
  package var activations: Bytes = .zero
  package var kvRead: Bytes = .zero
  package var kvWritten: Bytes = .zero
  /// Recurrent state, read and written.
  package var state: Bytes = .zero

  package init(
    weights: Bytes = .zero, activations: Bytes = .zero, kvRead: Bytes = .zero, kvWritten: Bytes = .zero,
    state: Bytes = .zero
  ) {
    self.weights = weights
    self.activations = activations
    self.kvRead = kvRead
    self.kvWritten = kvWritten
    self.state = state
  }

  package var total: Bytes { weights + activations + kvRead + kvWritten + state }

  package static func + (a: Traffic, b: Traffic) -> Traffic {
    Traffic(
      weights: a.weights + b.weights, activations: a.activations + b.activations, kvRead: a.kvRead + b.kvRead,
      kvWritten: a.kvWritten + b.kvWritten, state: a.state + b.state)
  }

  package static func * (a: Traffic, factor: Double) -> Traffic {
    Traffic(
      weights: a.weights * factor, activations: a.activations * factor, kvRead: a.kvRead * factor,
      kvWritten: a.kvWritten * factor, state: a.state * factor)
  }
}
