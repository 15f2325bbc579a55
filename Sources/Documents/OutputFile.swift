import Foundation

/// Writes a file that appears whole or not at all: bytes go to a neighbour that is renamed at the end.
///
/// A link is followed to the file it names; a device or a pipe (`/dev/stdout`) is written to as it is.
package final class OutputFile {
  package let path: String
  /// Where the bytes go first, and the name they get at the end; nothing when they go straight to a device or pipe.
  private let replacement: (partial: String, final: String)?
  private let handle: FileHandle
  private var buffer: [UInt8] = []
  private var finished = false

  package init(path: String) throws {
    guard !path.isEmpty else { throw DataError(file: "''", problem: "is empty, expected the name of a file to write") }
    self.path = path
    buffer.reserveCapacity(1 << 16)
    if Self.isSpecial(path) {
      guard let handle = FileHandle(forWritingAtPath: path) else {
        throw DataError(file: path, problem: "cannot be written (permission?)")
      }
      self.handle = handle
      replacement = nil
      return
    }
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
    let isLink = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
    let final = isLink ? URL(fileURLWithPath: path).resolvingSymlinksInPath().path : path
    let partial = final + ".partial"
    guard FileManager.default.createFile(atPath: partial, contents: nil),
      let handle = FileHandle(forWritingAtPath: partial)
    else { throw DataError(file: path, problem: "cannot be written (permission?)") }
    self.handle = handle
    replacement = (partial, final)
  }

  deinit {
    if !finished, let replacement { try? FileManager.default.removeItem(atPath: replacement.partial) }
  }

  /// Whether a path leads to something that is neither a file nor a folder.
  private static func isSpecial(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    let kind = status.st_mode & S_IFMT
    return kind != S_IFREG && kind != S_IFDIR
  }

  /// Refuses a result that would replace the file it is computed from.
  package static func refuse(_ output: String?, replacing input: String?) throws {
    guard let output, let input else { return }
    let both = [output, input].map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path }
    guard both[0] != both[1] else {
      throw DataError(file: output, problem: "is also the input; name another file for the results")
    }
  }

  package func write(_ text: String) throws {
    buffer.append(contentsOf: text.utf8)
    if buffer.count >= 1 << 16 { try flush() }
  }

  /// Makes the file appear under its name.
  package func finish() throws {
    try flush()
    try? handle.close()
    finished = true
    guard let replacement else { return }
    guard rename(replacement.partial, replacement.final) == 0 else {
      try? FileManager.default.removeItem(atPath: replacement.partial)
      throw DataError(file: path, problem: "cannot be replaced")
    }
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
