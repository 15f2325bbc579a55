import CostModels
import Statistics

extension OperatorGroup {
  /// Whether these rows give a device's files their constants; others are priced with them and only reported.
  package var isReference: Bool {
    switch family {
    case .gemm: true
    case .decodeAttention, .prefillAttention: format == "bfloat16"
    case .experts: format == "bfloat16" && source == "triton"
    case .allReduce: source == "vllm and sglang, captured"
    case .exchange: true
    case .quantizedGEMM, .latentDecode, .latentPrefill, .otherCollective: false
    }
  }
}

extension OperatorFamily {
  /// What rows of the family determine. Bounds are wide; where the rows say nothing, the expectation stands.
  var constants: [FittedConstant] {
    switch self {
    case .gemm: Self.gemmConstants
    case .quantizedGEMM: Self.gemmConstants + Self.quantizingConstants
    case .decodeAttention: Self.decodeConstants
    case .prefillAttention: Self.prefillConstants
    case .latentDecode: Self.latentDecodeConstants
    case .latentPrefill: Self.prefillConstants
    case .experts: Self.expertConstants
    case .allReduce: Self.allReduceConstants
    case .otherCollective: Self.ringConstants
    case .exchange: Self.exchangeConstants
    }
  }

  /// Whether the measurement reads the same cache again and again, so that a small one stays in the device's cache.
  var isReplayed: Bool { self == .decodeAttention || self == .latentDecode }

  private static func constant(_ key: ConstantKey, _ range: ClosedRange<Double>, _ expected: Double) -> FittedConstant {
    FittedConstant(key, range, expected: expected, spread: 1)
  }

  private static let gemmConstants = [
    constant(.gemmCompute, 0.2...1, 0.85), constant(.gemmMemory, 0.2...1, 0.8), constant(.gemmStart, 3e-7...2e-5, 3e-6),
    constant(.gemmFill, 1e-9...5e-6, 2e-7), constant(.gemmStep, 1e-11...2e-8, 1.5e-9),
    constant(.gemmLoad, 2...300, 50), constant(.gemmStore, 0.2...30, 3), constant(.gemmWrite, 1...4, 1.2),
    constant(.gemmWave, 0.01...1, 0.3), constant(.gemmSplitStart, 1e-7...1e-5, 2.4e-6),
  ]

  private static let quantizingConstants = [
    constant(.elementwiseMemory, 0.05...1, 0.5), constant(.elementwiseStart, 1e-7...2e-5, 2.5e-6),
  ]

  private static let decodeConstants = [
    constant(.decodeAttentionCompute, 0.02...1, 0.3), constant(.decodeAttentionMemory, 0.2...1, 0.85),
    constant(.decodeAttentionStart, 1e-6...1e-3, 1e-5), constant(.decodeAttentionTile, 1e-8...1e-4, 3e-6),
    constant(.decodeAttentionJoin, 1e-8...1e-4, 5e-6), constant(.decodeAttentionJoinContext, 100...20_000, 1000),
    constant(.decodeAttentionRegroup, 1e-9...2e-5, 1e-6),
  ]

  private static let latentDecodeConstants = [
    constant(.decodeAttentionCompute, 0.02...1, 0.3), constant(.decodeAttentionMemory, 0.1...1, 0.6),
    constant(.decodeAttentionStart, 1e-6...1e-3, 1e-4), constant(.decodeAttentionTile, 1e-8...1e-4, 3e-6),
  ]

  private static let prefillConstants = [
    constant(.prefillAttentionCompute, 0.05...1, 0.6), constant(.prefillAttentionMemory, 0.1...1, 0.7),
    constant(.prefillAttentionStart, 1e-6...1e-3, 1e-5), constant(.prefillAttentionTile, 1e-9...1e-4, 1e-6),
    constant(.prefillAttentionWrite, 1...20, 2.5), constant(.prefillAttentionHead, 1...300, 64),
  ]

  private static let expertConstants = [
    constant(.expertCompute, 0.1...1.2, 0.8), constant(.expertStart, 1e-7...1e-4, 8e-6),
    constant(.expertFill, 1e-9...2e-5, 2e-6), constant(.expertLoad, 0.1...500, 50),
  ]

  private static let allReduceConstants = [
    constant(.collectiveLink, 0.1...1, 0.6), constant(.collectiveOneShotStart, 5e-7...1e-4, 5e-6),
    constant(.collectiveOneShotHop, 1e-9...2e-5, 1e-7),
    constant(.collectiveTwoShotLink, 0.3...3, 1.1), constant(.collectiveTwoShotStart, 5e-7...1e-4, 7e-6),
    constant(.collectiveHop, 1e-9...2e-5, 3e-7),
    constant(.collectiveRingStart, 1e-6...3e-4, 4e-5), constant(.collectiveRingHop, 1e-9...5e-5, 1e-6),
    constant(.collectiveRingLink, 0.1...1, 0.75),
  ]

  private static let ringConstants = [
    constant(.collectiveRingStart, 1e-6...3e-4, 1e-5), constant(.collectiveRingHop, 1e-9...5e-5, 1e-6),
    constant(.collectiveRingLink, 0.1...1, 0.75), constant(.exchangeStart, 1e-6...3e-4, 1e-5),
    constant(.exchangeLink, 0.1...1, 0.7),
  ]

  private static let exchangeConstants = [
    constant(.exchangeStart, 1e-6...3e-4, 1e-5), constant(.exchangeLink, 0.05...1, 0.6),
  ]
}
