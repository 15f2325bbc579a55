import Foundation

/// Bytes of a file or of memory, one at a time, through a fixed buffer.
package final class ByteSource {
  private var buffer: [UInt8]
  private var position = 0
  private var handle: FileHandle?
  private static let chunk = 1 << 16
  /// Whether reading stopped at an error instead of the end.
  package private(set) var failed = false

  package init(path: String) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw DataError(file: path, problem: "no such file")
    }
    guard !isFolder.boolValue else { throw DataError(file: path, problem: "is a folder, expected a file") }
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw DataError(file: path, problem: "cannot be read (permission?)")
    }
    self.handle = handle
    buffer = []
    _ = peek()
    try Self.refuseEncodings(buffer, file: path)
  }

  /// Refuses what is no text but could be made into it, and says how.
  private static func refuseEncodings(_ bytes: [UInt8], file: String) throws {
    let known: [(mark: [UInt8], problem: String)] = [
      ([0x1F, 0x8B], "is gzip-compressed; run gunzip first"),
      ([0x28, 0xB5, 0x2F, 0xFD], "is zstd-compressed; run unzstd first"),
      ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "is xz-compressed; run unxz first"),
      ([0x50, 0x4B, 0x03, 0x04], "is a zip archive; unpack it first"),
      ([0xFF, 0xFE], "is UTF-16 text, expected UTF-8"), ([0xFE, 0xFF], "is UTF-16 text, expected UTF-8"),
    ]
    if let found = known.first(where: { bytes.starts(with: $0.mark) }) {
      throw DataError(file: file, problem: found.problem)
    }
  }

  package init(bytes: [UInt8]) { buffer = bytes }

  package func peek() -> UInt8? {
    if position == buffer.count { refill() }
    return position < buffer.count ? buffer[position] : nil
  }

  package func next() -> UInt8? {
    guard let byte = peek() else { return nil }
    position += 1
    return byte
  }

  package func skip() { position += 1 }

  package func skipByteOrderMark() {
    _ = peek()
    if buffer[position...].starts(with: [0xEF, 0xBB, 0xBF]) { position += 3 }
  }

  /// The next line without its end, or nothing at the end of the source.
  package func nextLine(limit: Int) -> [UInt8]? {
    guard peek() != nil else { return nil }
    var line: [UInt8] = []
    while let byte = next(), byte != UInt8(ascii: "\n"), line.count <= limit { line.append(byte) }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    return line
  }

  private func refill() {
    guard let handle else { return }
    let data: Data?
    do {
      data = try handle.read(upToCount: Self.chunk)
    } catch {
      failed = true
      data = nil
    }
    guard let data, !data.isEmpty else {
      try? handle.close()
      self.handle = nil
      return
    }
    buffer = [UInt8](data)
    position = 0
  }
}
