import Documents
import Foundation

/// What a study has found so far, on disk, so that an interrupted one goes on where it stopped.
///
/// One line for each finished piece of work, written when it is done. A journal of another study, or of the same after
/// changes, is begun anew.
final class StudyJournal: @unchecked Sendable {
  private let path: String
  private let lock = NSLock()
  private var entries: [String: [Double?]] = [:]
  private let handle: FileHandle

  /// - Parameter fingerprint: Of everything that results depend on.
  init(path: String, fingerprint: String) throws {
    self.path = path
    let head = "study " + fingerprint
    let known = (try? TextFile.document(at: path))?.split(separator: "\n").map(String.init) ?? []
    if known.first == head {
      for line in known.dropFirst() { Self.read(line, into: &entries) }
    } else {
      let file = try OutputFile(path: path)
      try file.write(head + "\n")
      try file.finish()
    }
    guard let handle = FileHandle(forWritingAtPath: path) else {
      throw DataError(file: path, problem: "cannot be written (permission?)")
    }
    try handle.seekToEnd()
    self.handle = handle
  }

  /// Lines end with a mark, so that one that was cut off is not taken for whole.
  private static func read(_ line: String, into entries: inout [String: [Double?]]) {
    let cells = line.split(separator: "|", omittingEmptySubsequences: false)
    guard cells.count >= 2, cells.last == "." else { return }
    entries[String(cells[0])] = cells.dropFirst().dropLast().map { Double($0) }
  }

  subscript(key: String) -> [Double?]? { lock.withLock { entries[key] } }

  func add(_ key: String, _ values: [Double?]) throws {
    let line = ([key] + values.map { $0.map { "\($0)" } ?? "" } + ["."]).joined(separator: "|") + "\n"
    try lock.withLock {
      entries[key] = values
      do {
        try handle.write(contentsOf: Data(line.utf8))
      } catch {
        throw DataError(file: path, problem: "cannot be written to the end (is the disk full?)")
      }
    }
  }

  /// Removes the file: the study is done.
  func remove() {
    try? handle.close()
    try? FileManager.default.removeItem(atPath: path)
  }
}
