import Documents
import Foundation

/// A file's bytes, read only, as the operating system brings them in.
final class MappedFile {
  let path: String
  let bytes: UnsafeRawBufferPointer

  /// - Throws: `DataError` when it is no file, is empty or cannot be read.
  init(path: String) throws {
    self.path = path
    var status = stat()
    guard stat(path, &status) == 0 else { throw DataError(file: path, problem: "no such file") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw DataError(file: path, problem: "is no plain file") }
    let size = Int(status.st_size)
    guard size > 0 else { throw DataError(file: path, problem: "is empty") }
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw DataError(file: path, problem: "cannot be read (permission?)") }
    defer { close(descriptor) }
    let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let address, address != MAP_FAILED else { throw DataError(file: path, problem: "cannot be read") }
    bytes = UnsafeRawBufferPointer(start: address, count: size)
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

  func error(_ problem: String, field: String? = nil) -> DataError {
    DataError(file: path, field: field, problem: problem)
  }
}

/// Reads little-endian numbers one after another, and never beyond the end.
struct ByteCursor {
  let file: MappedFile
  private(set) var position = 0

  init(_ file: MappedFile) { self.file = file }

  var remaining: Int { file.bytes.count - position }

  mutating func number<Number: FixedWidthInteger>(_: Number.Type, _ what: String) throws -> Number {
    let bytes = try take(MemoryLayout<Number>.size, what)
    return Number(littleEndian: bytes.loadUnaligned(as: Number.self))
  }

  /// A count that later bytes must be enough for, at so many bytes each.
  mutating func count(_ what: String, each size: Int) throws -> Int {
    let count = try number(UInt64.self, what)
    guard count <= UInt64(remaining / max(1, size)) else {
      throw file.error("\(what) is \(count), but only \(remaining) bytes are left at byte \(position)")
    }
    return Int(count)
  }

  mutating func text(_ what: String) throws -> String {
    let length = try count("the length of \(what)", each: 1)
    return String(decoding: try take(length, what), as: UTF8.self)
  }

  mutating func take(_ count: Int, _ what: String) throws -> UnsafeRawBufferPointer {
    guard count <= remaining else {
      throw file.error("ends within \(what), at byte \(position) of \(file.bytes.count)")
    }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: file.bytes[position..<position + count])
  }
}
