import Foundation

/// Reads whole text files, with one clear message for each way that can fail.
package enum TextFile {
  /// Larger documents are refused: no hardware, model or scenario file comes near it.
  package static let largestDocument = 16 << 20

  /// The bytes of a file, of which no more than `limit` are read.
  package static func bytes(at path: String, limit: Int = largestDocument) throws -> [UInt8] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw DataError(file: path, problem: "no such file")
    }
    guard !isFolder.boolValue else { throw DataError(file: path, problem: "is a folder, expected a file") }
    let data: Data
    do {
      guard let handle = FileHandle(forReadingAtPath: path) else { throw CocoaError(.fileReadNoPermission) }
      data = try handle.read(upToCount: limit + 1) ?? Data()
    } catch {
      throw DataError(file: path, problem: "cannot be read (permission?)")
    }
    guard data.count <= limit else { throw DataError(file: path, problem: "is larger than \(limit) bytes") }
    return [UInt8](data)
  }

  /// The text of a document, checked to be UTF-8 without NUL bytes.
  package static func document(at path: String) throws -> String {
    try text(bytes(at: path), file: path)
  }

  package static func text(_ bytes: [UInt8], file: String) throws -> String {
    var content = bytes[...]
    if content.starts(with: [0xEF, 0xBB, 0xBF]) { content = content.dropFirst(3) }
    guard let text = String(validating: content, as: UTF8.self) else {
      throw DataError(file: file, line: firstInvalidLine(content), problem: "is not UTF-8 text")
    }
    if let nul = content.firstIndex(of: 0) {
      let line = 1 + content[..<nul].count { $0 == UInt8(ascii: "\n") }
      throw DataError(file: file, line: line, problem: "contains a NUL byte, expected text")
    }
    return text
  }

  private static func firstInvalidLine(_ bytes: ArraySlice<UInt8>) -> Int? {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return lines.firstIndex { String(validating: $0, as: UTF8.self) == nil }.map { $0 + 1 }
  }
}
