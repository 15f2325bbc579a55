import Documents

/// A file of the safetensors format: a JSON table of names, types, shapes and places, and the tensors.
struct SafetensorsFile {
  let file: MappedFile
  private(set) var tensors: [String: StoredTensor] = [:]

  /// A header of more bytes is refused: those of the largest models take a few megabytes.
  private static let longestHeader = 64 << 20

  /// - Throws: `DataError`, naming the file, the tensor and what is wrong with it.
  init(path: String) throws {
    file = try MappedFile(path: path)
    var cursor = ByteCursor(file)
    let length = try cursor.count("the length of the header", each: 1)
    guard length <= Self.longestHeader else { throw file.error("has a header of \(length) bytes") }
    let text = try TextFile.text(Array(try cursor.take(length, "the header")), file: path)
    let header = try JSONDocument.parse(text, file: path).object()
    for name in header.keys where name != "__metadata__" {
      let entry = try header.required(name)
      tensors[name] = try tensor(name, entry.object(), start: cursor.position)
    }
    try checkOverlap()
  }

  private func tensor(_ name: String, _ entry: ObjectReader, start: Int) throws -> StoredTensor {
    let type = try entry.string("dtype")
    let shape = try entry.required("shape").array().map { try $0.int(in: 0...1 << 40) }
    let offsets = try entry.required("data_offsets").array().map { try $0.int(in: 0...Int.max >> 1) }
    guard let format = Self.format(type) else {
      throw try entry.required("dtype").error("found \(shown(type)), expected F32, F16 or BF16")
    }
    var size = format.rowBytes(1)
    for width in shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: width)
      guard !overflow else { throw try entry.required("shape").error("has more elements than any real tensor") }
      size = product
    }
    let room = file.bytes.count - start
    guard offsets.count == 2, offsets[0] <= offsets[1], offsets[1] <= room else {
      throw try entry.required("data_offsets").error(
        "found \(offsets), expected a beginning and an end within the \(room) bytes of tensors")
    }
    guard offsets[1] - offsets[0] == size else {
      throw try entry.required("data_offsets").error(
        "spans \(offsets[1] - offsets[0]) bytes, but the shape needs \(size)")
    }
    return StoredTensor(
      name: name, format: format, shape: shape,
      bytes: UnsafeRawBufferPointer(rebasing: file.bytes[start + offsets[0]..<start + offsets[1]]), owner: file)
  }

  private static func format(_ type: String) -> StoredFormat? {
    switch type {
    case "F32": .f32
    case "F16": .f16
    case "BF16": .bf16
    default: nil
    }
  }

  private func checkOverlap() throws {
    let sorted = tensors.values.filter { !$0.bytes.isEmpty }.sorted {
      UInt(bitPattern: $0.bytes.baseAddress) < UInt(bitPattern: $1.bytes.baseAddress)
    }
    for (tensor, next) in zip(sorted, sorted.dropFirst()) {
      let end = UInt(bitPattern: tensor.bytes.baseAddress) + UInt(tensor.bytes.count)
      guard end <= UInt(bitPattern: next.bytes.baseAddress) else {
        throw file.error("shares bytes with \(shown(tensor.name))", field: next.name)
      }
    }
  }
}
