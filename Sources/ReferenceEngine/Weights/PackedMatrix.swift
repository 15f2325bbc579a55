import CKernels
import Quantities

/// A matrix of weights, packed for the kernels: `columns` outputs by `inner` inputs.
package final class PackedMatrix {
  private(set) var matrix: rk_matrix
  package let format: WeightFormat
  private let dataBytes: Int
  private let scaleBytes: Int

  /// - Precondition: `inner` is a multiple of the format's block width.
  init(_ format: WeightFormat, columns: Int, inner: Int) {
    self.format = format
    dataBytes = rk_matrix_data_bytes(format.code, Int64(columns), Int64(inner))
    scaleBytes = rk_matrix_scale_bytes(format.code, Int64(columns), Int64(inner))
    matrix = rk_matrix(
      format: format.code, columns: Int64(columns), inner: Int64(inner),
      data: AlignedMemory.zeroed(bytes: dataBytes).assumingMemoryBound(to: UInt8.self),
      scales: AlignedMemory.zeroed(bytes: scaleBytes).assumingMemoryBound(to: UInt8.self))
  }

  deinit {
    AlignedMemory.release(matrix.data, bytes: dataBytes)
    AlignedMemory.release(matrix.scales, bytes: scaleBytes)
  }

  package var columns: Int { Int(matrix.columns) }
  package var inner: Int { Int(matrix.inner) }

  /// What it takes in memory, columns beyond the last one of a panel included.
  package var size: Bytes { Bytes(dataBytes + scaleBytes) }

  /// Copies rows of a tensor to columns from a position on; rows of another format are converted.
  func fill(from first: Int = 0, _ rows: WeightRows) {
    var values = [Float](repeating: 0, count: inner)
    let row = UnsafeMutableRawPointer.allocate(byteCount: max(4 * inner, 64), alignment: 64)
    defer { row.deallocate() }
    for index in 0..<rows.count {
      rows.read(index) { stored, bytes in
        if stored.kept == format {
          rk_matrix_set(&matrix, Int64(first + index), bytes)
        } else {
          rk_decode_row(stored.code, bytes, Int64(inner), &values)
          rk_encode_row(format.code, values, Int64(inner), row)
          rk_matrix_set(&matrix, Int64(first + index), row)
        }
      }
    }
  }

  /// One column's values.
  package func column(_ index: Int, into values: UnsafeMutablePointer<Float>) {
    rk_matrix_get(&matrix, Int64(index), values)
  }
}

/// Rows of a tensor, or of a part of one, in the order that the engine wants them.
struct WeightRows {
  let count: Int
  /// Hands a row's format and bytes to a function.
  let read: (_ index: Int, _ body: (StoredFormat, UnsafeRawPointer) -> Void) -> Void
}

/// A product of matrices in f32, apart from any model: for comparison with other libraries.
package final class PlainProduct {
  private let weights: PackedMatrix
  private let rows: Int
  private let x: FloatBuffer
  private let y: FloatBuffer
  private let scratch: FloatBuffer

  package init(columns: Int, inner: Int, rows: Int) {
    weights = PackedMatrix(.f32, columns: columns, inner: inner)
    self.rows = rows
    x = FloatBuffer(count: rows * inner)
    y = FloatBuffer(count: rows * columns)
    rk_random(1, 1, Int64(x.count), x.start)
    let values = FloatBuffer(count: inner)
    rk_random(2, 1, Int64(inner), values.start)
    weights.fill(WeightRows(count: columns) { _, body in body(.f32, UnsafeRawPointer(values.start)) })
    var matrix = weights.matrix
    scratch = FloatBuffer(count: rk_matmul_scratch(&matrix, Int64(rows)) / 4 + 1)
  }

  package func run(_ pool: WorkerPool) {
    var matrix = weights.matrix
    rk_matmul(
      pool.pool, &matrix, x.start, Int64(weights.inner), Int64(rows), y.start, Int64(weights.columns), scratch.start)
  }
}
