import Documents
import Foundation
import GRDB

/// Runs and what they found, in one SQLite file; `Documentation/store.md` describes its tables.
///
/// Writers append in transactions to a write-ahead log, so that others read while a sweep writes and a process that is
/// killed, or a disk that fills, leaves whole rows only.
package final class Store: Sendable {
  package enum Access: Sendable {
    /// Makes the file when there is none.
    case write
    /// Changes nothing; works in a folder that cannot be written.
    case read
  }

  package let path: String
  let writer: (any DatabaseWriter)?
  let reader: any DatabaseReader

  package static let standardPath = "ridgeline.sqlite"

  /// - Parameter largest: Pages of 4 KiB the file may have; for tests of full disks.
  /// - Throws: `DataError` for a file that is damaged, newer, no store, or cannot be opened.
  package init(path: String, _ access: Access, largest: Int? = nil) throws {
    guard !path.isEmpty else { throw DataError(file: "''", problem: "is empty, expected the name of a store") }
    self.path = path
    try Self.checkPlace(path, access)
    switch access {
    case .write:
      let pool = try Self.guarded(path) { try DatabasePool(path: path, configuration: Self.configuration(largest)) }
      (writer, reader) = (pool, pool)
      try Self.guarded(path) { try prepare(pool) }
    case .read:
      writer = nil
      reader = try Self.guarded(path) { try Self.readOnly(path) }
      try Self.guarded(path) { try reader.read { try Self.check($0, path) } }
    }
  }

  private static func checkPlace(_ path: String, _ access: Access) throws {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    if exists, isFolder.boolValue { throw DataError(file: path, problem: "is a folder, expected a store") }
    guard !exists else { return }
    guard access == .write else {
      throw DataError(
        file: path,
        problem: "no such store; 'ridgeline sweep', or 'ridgeline simulate --store FILE', makes one")
    }
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    guard !folder.isEmpty else { return }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw DataError(file: folder, problem: "cannot be created as a folder for a store")
    }
  }

  private static func configuration(_ largest: Int?) -> Configuration {
    var configuration = Configuration()
    configuration.busyMode = .timeout(30)
    configuration.maximumReaderCount = 2
    configuration.prepareDatabase { db in
      // A commit is in the log, and so safe from a killed process; only a power cut may lose the last ones.
      try db.execute(sql: "PRAGMA synchronous = NORMAL")
      if let largest { try db.execute(sql: "PRAGMA max_page_count = \(largest)") }
    }
    return configuration
  }

  /// SQLite cannot read a log where it cannot make its shared-memory file; a store without a log it can read as it is.
  private static func readOnly(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.busyMode = .timeout(30)
    do {
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      _ = try queue.read { try Int.fetchOne($0, sql: "PRAGMA schema_version") }
      return queue
    } catch let error as DatabaseError where [.SQLITE_CANTOPEN, .SQLITE_READONLY].contains(error.resultCode) {
      guard !FileManager.default.fileExists(atPath: path + "-wal") else { throw error }
      return try DatabaseQueue(path: immutable(path), configuration: configuration)
    }
  }

  private static func immutable(_ path: String) -> String {
    let plain = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: "?#%"))
    return "file:" + (path.addingPercentEncoding(withAllowedCharacters: plain) ?? path) + "?immutable=1"
  }

  // MARK: Versions

  private func prepare(_ pool: DatabasePool) throws {
    try pool.read { db in
      guard try db.isNew else { return try Self.check(db, path) }
    }
    try Schema.migrator.migrate(pool)
  }

  /// Refuses what is no store, and a store that a newer version made.
  private static func check(_ db: Database, _ path: String) throws {
    guard try Int.fetchOne(db, sql: "PRAGMA application_id") == Schema.applicationID else {
      throw DataError(file: path, problem: "is a database, but no Ridgeline store")
    }
    guard try !Schema.migrator.hasBeenSuperseded(db) else {
      throw DataError(
        file: path,
        problem: "was made by a newer version of Ridgeline, which this one cannot read; update, or name another")
    }
  }

  // MARK: Access

  /// Reads what is committed, while others may write.
  /// - Throws: `DataError` for a damaged store.
  func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try Self.guarded(path) { try reader.read(body) }
  }

  /// One transaction: all of it is written, or nothing.
  /// - Throws: `DataError` where the disk is full or the store cannot be written.
  func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
    guard let writer else { throw DataError(file: path, problem: "is open for reading only") }
    return try Self.guarded(path) { try writer.write(body) }
  }

  /// Whether every page and index of the file is sound; else what is wrong.
  /// - Complexity: O(size of the file).
  package func faults() throws -> [String] {
    try read { try String.fetchAll($0, sql: "PRAGMA integrity_check(20)") }.filter { $0 != "ok" }
  }

  static func guarded<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as DatabaseError {
      throw StoreFault(error, path).message
    }
  }
}

extension Database {
  /// Whether nothing has been made in it yet.
  fileprivate var isNew: Bool {
    get throws { try Int.fetchOne(self, sql: "SELECT count(*) FROM sqlite_master") == 0 }
  }
}
