import Documents

/// A tensor of a Llama-like model, by what it does.
enum TensorRole: Hashable, Sendable {
  case tokens, finalNorm, head
  case attentionNorm(layer: Int), query(layer: Int), key(layer: Int), value(layer: Int), attentionOutput(layer: Int)
  case feedForwardNorm(layer: Int), gate(layer: Int), up(layer: Int), down(layer: Int)
  case router(layer: Int)
  case expertGate(layer: Int, expert: Int), expertUp(layer: Int, expert: Int), expertDown(layer: Int, expert: Int)
}

/// Where weights come from.
protocol WeightSource {
  /// The rows of a tensor that must have this shape.
  /// - Throws: `DataError` when it is missing, of another shape, or of a format that is not understood.
  func rows(_ role: TensorRole, count: Int, inner: Int) throws -> WeightRows
  /// The format that its matrices of this kind are kept in when nobody asks for another.
  func publishedFormat(_ role: TensorRole) throws -> WeightFormat
}

extension WeightSource {
  /// A vector in f32.
  func vector(_ role: TensorRole, count: Int) throws -> FloatBuffer {
    let rows = try rows(role, count: 1, inner: count)
    let matrix = PackedMatrix(.f32, columns: 1, inner: count)
    matrix.fill(rows)
    let buffer = FloatBuffer(count: count)
    matrix.column(0, into: buffer.start)
    return buffer
  }
}

/// A tensor as it lies in a mapped file.
struct StoredTensor {
  let name: String
  let format: StoredFormat
  /// Outermost dimension first.
  let shape: [Int]
  let bytes: UnsafeRawBufferPointer
  /// Keeps the bytes mapped.
  let owner: MappedFile

  /// Rows of a matrix, or of one matrix of a stack of them.
  func rows(count: Int, inner: Int, part: Int? = nil, order: @escaping (Int) -> Int = { $0 }) throws -> WeightRows {
    let expected = part == nil ? [count, inner] : [shape.first ?? 0, count, inner]
    let found = shape.count == 1 && count == 1 ? [1] + shape : shape
    guard found == expected, (part ?? 0) < max(1, shape.first ?? 0) else {
      throw DataError(
        file: owner.path, field: name, problem: "has the shape \(Self.text(found)), expected \(Self.text(expected))")
    }
    let rowBytes = format.rowBytes(inner)
    let first = (part ?? 0) * count
    let (format, owner) = (format, owner)
    guard let base = bytes.baseAddress else {
      throw DataError(file: owner.path, field: name, problem: "is empty")
    }
    return WeightRows(count: count) { index, body in
      withExtendedLifetime(owner) { body(format, base + (first + order(index)) * rowBytes) }
    }
  }

  private static func text(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: " x ") }
}
