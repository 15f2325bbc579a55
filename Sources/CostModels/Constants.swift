import Documents
import Quantities

/// The calibrated constants of the operator and step models: what share of each peak is reached, and what each start
/// costs. Every one comes from a calibration file; there are no built-in values.
package struct Constants: Sendable, Equatable {
  var values: [ConstantKey: Double] = [:]

  package init() {}

  /// The other's constants win.
  package mutating func override(with other: Constants) { values.merge(other.values) { _, new in new } }

  /// Constants that no file gave.
  package var missing: [ConstantKey] { ConstantKey.allCases.filter { values[$0] == nil } }

  package subscript(key: ConstantKey) -> Double {
    get { values[key] ?? 0 }
    set { values[key] = newValue }
  }

  /// A share of a peak.
  package func share(_ key: ConstantKey) -> Double { self[key] }

  package func time(_ key: ConstantKey) -> Seconds { Seconds(self[key]) }
}

/// Names of the calibrated constants, as calibration files spell them.
package enum ConstantKey: String, CaseIterable, Sendable {
  /// Shares of peak compute and of main-memory bandwidth that a large GEMM reaches, and its start.
  case gemmCompute = "gemm_compute"
  case gemmMemory = "gemm_memory"
  case gemmStart = "gemm_start"
  /// Share of a tile's steady rate that one more inner step of pipeline filling costs, in inner elements.
  case gemmPrologue = "gemm_prologue"
  /// Share of compute the grouped GEMMs of experts reach, relative to a plain GEMM.
  case expertCompute = "expert_compute"
  case decodeAttentionCompute = "decode_attention_compute"
  case decodeAttentionMemory = "decode_attention_memory"
  case decodeAttentionStart = "decode_attention_start"
  /// Time of one (sequence, KV head) pair on one parallel unit, whatever its context.
  case decodeAttentionTile = "decode_attention_tile"
  case prefillAttentionCompute = "prefill_attention_compute"
  case prefillAttentionMemory = "prefill_attention_memory"
  case prefillAttentionStart = "prefill_attention_start"
  case elementwiseMemory = "elementwise_memory"
  case elementwiseStart = "elementwise_start"
  /// Share of vector or matrix peak a recurrent scan reaches.
  case scanCompute = "scan_compute"
  /// Share of the link's bandwidth collectives reach; starts of one- and two-shot all-reduce; one more rank.
  case collectiveLink = "collective_link"
  case collectiveOneShotStart = "collective_one_shot_start"
  case collectiveTwoShotStart = "collective_two_shot_start"
  case collectiveHop = "collective_hop"
  /// Host time of one kernel launch where the runtime does not replay a captured graph.
  case launch = "launch"
  /// Host time a step costs whatever it does, and for each sequence in it.
  case stepOverhead = "step_overhead"
  case stepPerSequence = "step_per_sequence"
  /// Board power while busy, as shares of the cap: always, at full compute rate, at full memory rate.
  case powerStatic = "power_static"
  case powerCompute = "power_compute"
  case powerMemory = "power_memory"

  /// Whether a file gives it as a time; otherwise as a plain number.
  package var isTime: Bool {
    switch self {
    case .gemmStart, .decodeAttentionStart, .decodeAttentionTile, .prefillAttentionStart, .elementwiseStart,
      .collectiveOneShotStart, .collectiveTwoShotStart, .collectiveHop, .launch, .stepOverhead, .stepPerSequence:
      true
    case .gemmCompute, .gemmMemory, .gemmPrologue, .expertCompute, .decodeAttentionCompute, .decodeAttentionMemory,
      .prefillAttentionCompute, .prefillAttentionMemory, .elementwiseMemory, .scanCompute, .collectiveLink,
      .powerStatic, .powerCompute, .powerMemory:
      false
    }
  }

  /// Whether it divides something, so that zero is not a value.
  var isRate: Bool {
    switch self {
    case .gemmCompute, .gemmMemory, .expertCompute, .decodeAttentionCompute, .decodeAttentionMemory,
      .prefillAttentionCompute, .prefillAttentionMemory, .elementwiseMemory, .scanCompute, .collectiveLink:
      true
    default: false
    }
  }
}
