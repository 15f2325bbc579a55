import Documents
import Quantities

/// The calibrated constants of the operator and step models: what share of each peak is reached, and what each start
/// costs. Every one comes from a calibration file; there are no built-in values.
package struct Constants: Sendable, Equatable {
  /// By position of the key; not a number where no file gave one.
  private var values = [Double](repeating: .nan, count: ConstantKey.allCases.count)

  package init() {}

  /// The other's constants win.
  package mutating func override(with other: Constants) {
    for index in values.indices where !other.values[index].isNaN { values[index] = other.values[index] }
  }

  /// Constants that no file gave.
  package var missing: [ConstantKey] { ConstantKey.allCases.filter { values[$0.rawValue].isNaN } }

  package subscript(key: ConstantKey) -> Double {
    get { values[key.rawValue] }
    set { values[key.rawValue] = newValue }
  }

  /// A share of a peak.
  package func share(_ key: ConstantKey) -> Double { self[key] }

  package func time(_ key: ConstantKey) -> Seconds { Seconds(self[key]) }
}

/// The calibrated constants.
package enum ConstantKey: Int, CaseIterable, Sendable {
  /// Shares of peak compute and of main-memory bandwidth that a large GEMM reaches, and its start.
  case gemmCompute
  case gemmMemory
  case gemmStart
  /// Share of a tile's steady rate that one more inner step of pipeline filling costs, in inner elements.
  case gemmPrologue
  /// Share of compute the grouped GEMMs of experts reach, relative to a plain GEMM.
  case expertCompute
  case decodeAttentionCompute
  case decodeAttentionMemory
  case decodeAttentionStart
  /// Time of one (sequence, KV head) pair on one parallel unit, whatever its context.
  case decodeAttentionTile
  /// Share of the cache's reading time that each further query head of a group adds, where a kernel works head by head
  /// and finds in a cache what the first one read.
  case decodeAttentionGroup
  case prefillAttentionCompute
  case prefillAttentionMemory
  case prefillAttentionStart
  case elementwiseMemory
  case elementwiseStart
  /// Share of vector or matrix peak a recurrent scan reaches.
  case scanCompute
  /// Share of the link's bandwidth collectives reach; starts of one- and two-shot all-reduce; one more rank.
  case collectiveLink
  case collectiveOneShotStart
  case collectiveTwoShotStart
  case collectiveHop
  /// Host time of one kernel launch where the runtime does not replay a captured graph.
  case launch
  /// Host time a step costs whatever it does, and for each sequence in it.
  case stepOverhead
  case stepPerSequence
  /// Board power while busy, as shares of the cap: always, at full compute rate, at full memory rate.
  case powerStatic
  case powerCompute
  case powerMemory

  /// The name in files: the case's name in snake case.
  package var name: String {
    "\(self)".reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
  }

  /// Whether a file gives it as a time; otherwise as a plain number.
  package var isTime: Bool {
    switch self {
    case .gemmStart, .decodeAttentionStart, .decodeAttentionTile, .prefillAttentionStart, .elementwiseStart,
      .collectiveOneShotStart, .collectiveTwoShotStart, .collectiveHop, .launch, .stepOverhead, .stepPerSequence:
      true
    case .gemmCompute, .gemmMemory, .gemmPrologue, .expertCompute, .decodeAttentionCompute, .decodeAttentionMemory,
      .prefillAttentionCompute, .decodeAttentionGroup, .prefillAttentionMemory, .elementwiseMemory, .scanCompute,
      .collectiveLink,
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
