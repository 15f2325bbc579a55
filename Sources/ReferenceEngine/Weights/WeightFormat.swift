import CKernels
import Quantities

/// The formats that the engine keeps weights in.
package enum WeightFormat: String, CaseIterable, Sendable {
  case f32, bf16, int8
  case q8Zero = "q8_0"
  case q4Zero = "q4_0"
  case q4One = "q4_1"

  /// The kernels' number for it.
  var code: Int32 {
    switch self {
    case .f32: Int32(RK_F32)
    case .bf16: Int32(RK_BF16)
    case .int8: Int32(RK_INT8)
    case .q8Zero: Int32(RK_Q8_0)
    case .q4Zero: Int32(RK_Q4_0)
    case .q4One: Int32(RK_Q4_1)
    }
  }

  /// The format as the rest of Ridgeline names it.
  package var numbers: NumberFormat {
    switch self {
    case .f32: .fp32
    case .bf16: .bf16
    case .int8: .int8
    case .q8Zero: .q8Zero
    case .q4Zero: .q4Zero
    case .q4One: .q4One
    }
  }

  /// What activations are turned into before a product: integers for integer weights.
  package var activations: NumberFormat { isInteger ? .int8 : .fp32 }

  package var isInteger: Bool { numbers.isInteger }

  /// What the inner dimension must be a multiple of.
  package var blockWidth: Int { isInteger ? Int(RK_BLOCK) : 1 }
}

/// Formats of tensors in files that are understood.
enum StoredFormat: Sendable {
  case f32, f16, bf16, q8Zero, q4Zero, q4One

  var code: Int32 {
    switch self {
    case .f32: Int32(RK_F32)
    case .f16: Int32(RK_F16)
    case .bf16: Int32(RK_BF16)
    case .q8Zero: Int32(RK_Q8_0)
    case .q4Zero: Int32(RK_Q4_0)
    case .q4One: Int32(RK_Q4_1)
    }
  }

  /// The engine's format that keeps these values as they are; f16 has none.
  var kept: WeightFormat? {
    switch self {
    case .f32: .f32
    case .f16: nil
    case .bf16: .bf16
    case .q8Zero: .q8Zero
    case .q4Zero: .q4Zero
    case .q4One: .q4One
    }
  }

  /// What a row's length must be a multiple of.
  var blockWidth: Int { kept?.blockWidth ?? 1 }

  func rowBytes(_ inner: Int) -> Int { rk_row_bytes(code, Int64(inner)) }
}
