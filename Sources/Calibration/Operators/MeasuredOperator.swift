import CostModels
import Hardware
import ModelGraph

/// One measured operator, or several that were measured together.
package struct MeasuredOperator: Sendable {
  package var family: OperatorFamily
  /// The device with the links its messages took.
  package var platform: Platform
  /// Number format, for tables.
  package var format: String
  /// Framework or kernel that was measured.
  package var source: String
  /// What is left out together when a fit is checked on shapes it did not see.
  package var shape: String
  /// The operators, as a step has them.
  package var parts: [Operator]
  /// Measured time.
  package var seconds: Double
}

/// Operators that are measured alike and share constants.
package enum OperatorFamily: String, CaseIterable, Sendable {
  case gemm
  /// A product in 8 bits after its inputs were quantised, which is part of the measurement.
  case quantizedGEMM = "quantised gemm"
  case decodeAttention = "decode attention"
  case prefillAttention = "prefill attention"
  case latentDecode = "latent decode"
  case latentPrefill = "latent prefill"
  case experts = "mixture of experts"
  case allReduce = "all-reduce"
  case otherCollective = "other collective"
  case exchange = "expert exchange"
}

/// Rows that are fitted and reported together: one family in one format by one kind of kernel.
package struct OperatorGroup: Hashable, Comparable, Sendable {
  package var family: OperatorFamily
  package var format: String
  package var source: String

  package static func < (a: OperatorGroup, b: OperatorGroup) -> Bool {
    (a.order, a.format, a.source) < (b.order, b.format, b.source)
  }

  private var order: Int { OperatorFamily.allCases.firstIndex(of: family) ?? 0 }
}

extension MeasuredOperator {
  package var device: Device { platform.device }
  package var group: OperatorGroup { OperatorGroup(family: family, format: format, source: source) }
}
