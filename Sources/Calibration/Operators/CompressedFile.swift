import CZlib
import Documents

/// Reads a file that may be compressed with gzip.
enum CompressedFile {
  /// Larger tables are refused: they would not fit in memory comfortably.
  static let longest = 1 << 30

  /// The file's bytes, expanded if need be.
  static func bytes(path: String) throws -> [UInt8] {
    guard let file = gzopen(path, "rb") else { throw DataError(file: path, problem: "cannot be opened") }
    defer { gzclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = chunk.withUnsafeMutableBytes { gzread(file, $0.baseAddress, UInt32($0.count)) }
      guard count >= 0 else { throw DataError(file: path, problem: "is not a whole gzip file") }
      if count == 0 { return bytes }
      bytes.append(contentsOf: chunk[..<Int(count)])
      guard bytes.count <= longest else { throw DataError(file: path, problem: "is longer than 1 GiB") }
    }
  }
}
