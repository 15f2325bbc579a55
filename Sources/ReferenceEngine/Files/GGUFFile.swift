import Documents

/// A file of the GGUF format, versions 2 and 3: metadata and tensors.
///
/// Every size in the file is checked against the file before it is used.
final class GGUFFile {
  let file: MappedFile
  let version: UInt32
  private(set) var metadata: [String: GGUFValue] = [:]
  private var tensors: [String: StoredTensor] = [:]
  /// Tensors of formats that are not understood, by name.
  private var strange: [String: UInt32] = [:]

  private static let magic: UInt32 = 0x4655_4747
  /// A tensor of more elements is refused, so that sizes cannot overflow.
  private static let mostElements = 1 << 44

  /// - Throws: `DataError`, naming the file, the entry and what is wrong with it.
  init(path: String) throws {
    file = try MappedFile(path: path)
    var cursor = ByteCursor(file)
    guard try cursor.number(UInt32.self, "the first four bytes") == Self.magic else {
      throw file.error("does not begin with 'GGUF', so it is no GGUF file")
    }
    version = try cursor.number(UInt32.self, "the version")
    guard version == 2 || version == 3 else {
      throw file.error("has version \(version), expected 2 or 3 in little-endian order")
    }
    let tensorCount = try cursor.count("the number of tensors", each: 24)
    let entryCount = try cursor.count("the number of metadata entries", each: 13)
    for _ in 0..<entryCount { try readEntry(&cursor) }
    let headers = try (0..<tensorCount).map { _ in try TensorHeader(&cursor) }
    try place(headers, after: cursor.position)
  }

  // MARK: Metadata

  private func readEntry(_ cursor: inout ByteCursor) throws {
    let key = try cursor.text("a metadata key")
    let type = try cursor.number(UInt32.self, "the type of \(shown(key))")
    let value = try GGUFValue(type, &cursor, key: key)
    guard metadata.updateValue(value, forKey: key) == nil else { throw error(key, "appears twice") }
  }

  func error(_ key: String, _ problem: String) -> DataError { file.error(problem, field: key) }

  func required(_ key: String) throws -> GGUFValue {
    guard let value = metadata[key] else {
      throw error(key, "is missing from the metadata")
    }
    return value
  }

  func int(_ key: String, in range: ClosedRange<Int>) throws -> Int {
    let value = try required(key)
    guard case .int(let number) = value, range.contains(number) else {
      throw error(
        key, "found \(value.found), expected a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  func optionalInt(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
    metadata[key] == nil ? nil : try int(key, in: range)
  }

  func optionalReal(_ key: String, in range: ClosedRange<Double>) throws -> Double? {
    guard let value = metadata[key] else { return nil }
    guard case .real(let number) = value, range.contains(number) else {
      throw error(key, "found \(value.found), expected a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  func text(_ key: String) throws -> String {
    let value = try required(key)
    guard case .text(let text) = value else { throw error(key, "found \(value.found), expected a text") }
    return text
  }

  func optionalFlag(_ key: String) throws -> Bool? {
    guard let value = metadata[key] else { return nil }
    guard case .flag(let flag) = value else { throw error(key, "found \(value.found), expected true or false") }
    return flag
  }

  func texts(_ key: String) throws -> [String] {
    let value = try required(key)
    guard case .texts(let texts) = value else { throw error(key, "found \(value.found), expected a list of texts") }
    return texts
  }

  func optionalInts(_ key: String) throws -> [Int]? {
    guard let value = metadata[key] else { return nil }
    guard case .ints(let numbers) = value else {
      throw error(key, "found \(value.found), expected a list of whole numbers")
    }
    return numbers
  }

  // MARK: Tensors

  private func place(_ headers: [TensorHeader], after end: Int) throws {
    let alignment = try optionalInt("general.alignment", in: 1...1 << 20) ?? 32
    guard alignment & (alignment - 1) == 0 else {
      throw error("general.alignment", "found \(alignment), expected a power of two")
    }
    let start = (end + alignment - 1) / alignment * alignment
    guard start <= file.bytes.count || headers.isEmpty else { throw file.error("ends before its tensors") }
    for header in headers {
      guard tensors[header.name] == nil, strange[header.name] == nil else {
        throw error(header.name, "appears twice among the tensors")
      }
      guard let format = header.format else {
        strange[header.name] = header.type
        continue
      }
      tensors[header.name] = try stored(header, format, start: start, alignment: alignment)
    }
  }

  private func stored(_ header: TensorHeader, _ format: StoredFormat, start: Int, alignment: Int) throws -> StoredTensor
  {
    let elements = header.shape.reduce(1) { product, width in
      product > Self.mostElements / width ? Self.mostElements + 1 : product * width
    }
    guard elements <= Self.mostElements else { throw error(header.name, "has more elements than any real tensor") }
    let inner = header.shape.last ?? 1
    guard inner % format.blockWidth == 0 else {
      throw error(header.name, "has rows of \(inner) elements, which blocks of \(format.blockWidth) do not divide")
    }
    let size = format.rowBytes(inner) * (elements / inner)
    let room = file.bytes.count - start
    guard header.offset % UInt64(alignment) == 0 else {
      throw error(header.name, "begins at \(header.offset), which is no multiple of the alignment \(alignment)")
    }
    guard size <= room, header.offset <= UInt64(room - size) else {
      throw error(header.name, "needs \(size) bytes at \(header.offset), but the file has \(room) bytes of tensors")
    }
    let first = start + Int(header.offset)
    return StoredTensor(
      name: header.name, format: format, shape: header.shape,
      bytes: UnsafeRawBufferPointer(rebasing: file.bytes[first..<first + size]), owner: file)
  }

  /// A tensor that may be absent.
  func optionalTensor(_ name: String) throws -> StoredTensor? {
    if let type = strange[name] {
      throw error(name, "has the type \(type), expected F32, F16, BF16, Q8_0, Q4_0 or Q4_1")
    }
    return tensors[name]
  }

  func tensor(_ name: String) throws -> StoredTensor {
    guard let tensor = try optionalTensor(name) else { throw error(name, "is missing from the tensors") }
    return tensor
  }
}

/// An entry of the table of tensors.
private struct TensorHeader {
  let name: String
  /// Outermost dimension first; files have it last.
  let shape: [Int]
  let type: UInt32
  let offset: UInt64

  init(_ cursor: inout ByteCursor) throws {
    name = try cursor.text("a tensor's name")
    let dimensions = try cursor.number(UInt32.self, "the dimensions of \(shown(name))")
    guard (1...4).contains(dimensions) else {
      throw cursor.file.error("has \(dimensions) dimensions, expected 1 to 4", field: name)
    }
    var shape: [Int] = []
    for _ in 0..<dimensions {
      let width = try cursor.number(UInt64.self, "the shape of \(shown(name))")
      guard (1...(1 << 40)).contains(width) else {
        throw cursor.file.error("has a dimension of \(width) elements", field: name)
      }
      shape.insert(Int(width), at: 0)
    }
    self.shape = shape
    type = try cursor.number(UInt32.self, "the type of \(shown(name))")
    offset = try cursor.number(UInt64.self, "the place of \(shown(name))")
  }

  var format: StoredFormat? {
    switch type {
    case 0: .f32
    case 1: .f16
    case 2: .q4Zero
    case 3: .q4One
    case 8: .q8Zero
    case 30: .bf16
    default: nil
    }
  }
}
