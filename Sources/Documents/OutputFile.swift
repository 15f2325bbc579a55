import Foundation

/// Writes a file that appears whole or not at all: bytes go to a neighbour that is renamed at the end.
package final class OutputFile {
  package let path: String
  private let partial: String
  private let handle: FileHandle
  private var buffer: [UInt8] = []
  private var finished = false

  package init(path: String) throws {
    guard !path.isEmpty else { throw DataError(file: "''", problem: "is empty, expected the name of a file to write") }
    self.path = path
    partial = path + ".partial"
    // Foundation's `deletingLastPathComponent` traps on a name of one character.
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    if !folder.isEmpty {
      do {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      } catch {
        throw DataError(file: folder, problem: "cannot be created as a folder for results")
      }
    }
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      throw DataError(file: path, problem: "is a folder, expected a file to write")
    }
    guard FileManager.default.createFile(atPath: partial, contents: nil),
      let handle = FileHandle(forWritingAtPath: partial)
    else { throw DataError(file: path, problem: "cannot be written (permission?)") }
    self.handle = handle
    buffer.reserveCapacity(1 << 16)
  }

  deinit { if !finished { try? FileManager.default.removeItem(atPath: partial) } }

  package func write(_ text: String) throws {
    buffer.append(contentsOf: text.utf8)
    if buffer.count >= 1 << 16 { try flush() }
  }

  /// Makes the file appear under its name.
  package func finish() throws {
    try flush()
    try? handle.close()
    guard rename(partial, path) == 0 else { throw DataError(file: path, problem: "cannot be replaced") }
    finished = true
  }

  private func flush() throws {
    do {
      try handle.write(contentsOf: buffer)
    } catch {
      throw DataError(file: path, problem: "cannot be written to the end (is the disk full?)")
    }
    buffer.removeAll(keepingCapacity: true)
  }
}
