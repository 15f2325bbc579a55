/// How a number is stored or computed.
///
/// The first group has arithmetic in some device; the second exists only in memory and is expanded to an
/// arithmetic format before use.
public enum NumberFormat: String, CaseIterable, Sendable, Hashable {
  case fp64, fp32, tf32, bf16, fp16, fp8, fp6, fp4, int32, int16, int8, int4, int1

  /// 4-bit integers with one 16-bit scale for each 128 weights.
  case int4Group128 = "int4-g128"
  /// OCP microscaling: 32 elements share an 8-bit scale.
  case mxfp8, mxfp4
  /// NVIDIA: 16 elements share an 8-bit scale.
  case nvfp4
  /// GGUF block formats of 32 weights.
  case q8Zero = "q8_0"
  case q4Zero = "q4_0"
  case q4One = "q4_1"

  /// Bits a value takes in memory, scales included.
  public var bits: Double {
    switch self {
    case .fp64: 64
    case .fp32, .int32, .tf32: 32
    case .bf16, .fp16, .int16: 16
    case .fp8, .int8: 8
    case .fp6: 6
    case .fp4, .int4: 4
    case .int1: 1
    case .int4Group128: 4 + 16.0 / 128
    case .mxfp8: 8 + 8.0 / 32
    case .mxfp4: 4 + 8.0 / 32
    case .nvfp4: 4 + 8.0 / 16
    case .q8Zero: 8 + 16.0 / 32
    case .q4Zero: 4 + 16.0 / 32
    case .q4One: 4 + 32.0 / 32
    }
  }

  /// What so many values take in memory.
  @inlinable
  public func size(of elements: Double) -> Bytes { Bytes(elements * bits / 8) }

  /// The format in which these values enter a multiplication, before any conversion to the activations' format.
  public var arithmetic: NumberFormat {
    switch self {
    case .int4Group128, .q4Zero, .q4One: .int4
    case .mxfp8: .fp8
    case .mxfp4, .nvfp4: .fp4
    case .q8Zero: .int8
    default: self
    }
  }

  /// Whether values are integers, so that sums are kept in int32.
  public var isInteger: Bool {
    switch self {
    case .int32, .int16, .int8, .int4, .int1, .int4Group128, .q8Zero, .q4Zero, .q4One: true
    case .fp64, .fp32, .tf32, .bf16, .fp16, .fp8, .fp6, .fp4, .mxfp8, .mxfp4, .nvfp4: false
    }
  }

  /// Position in `allCases`, for tables that are read too often to hash.
  public var index: Int {
    switch self {
    case .fp64: 0
    case .fp32: 1
    case .tf32: 2
    case .bf16: 3
    case .fp16: 4
    case .fp8: 5
    case .fp6: 6
    case .fp4: 7
    case .int32: 8
    case .int16: 9
    case .int8: 10
    case .int4: 11
    case .int1: 12
    case .int4Group128: 13
    case .mxfp8: 14
    case .mxfp4: 15
    case .nvfp4: 16
    case .q8Zero: 17
    case .q4Zero: 18
    case .q4One: 19
    }
  }
}
