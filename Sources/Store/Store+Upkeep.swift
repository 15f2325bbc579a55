import Documents
import Foundation
import GRDB

extension Store {
  /// What a merge did.
  package struct Merge: Sendable, Equatable {
    package var sweeps = 0
    package var runs = 0
    /// Runs that were there already.
    package var known = 0
  }

  /// Takes over all of another store's sweeps and runs that are not here yet, in one transaction.
  ///
  /// Sweeps are the same when their uid is, points of one sweep when their number is; so shards of one sweep become one,
  /// and merging twice changes nothing.
  /// - Throws: `DataError`; nothing is taken over then.
  package func merge(from other: String) throws -> Merge {
    // Refuses what is no store, or newer, before it is attached.
    _ = try Store(path: other, .read)
    guard URL(fileURLWithPath: other).resolvingSymlinksInPath() != URL(fileURLWithPath: path).resolvingSymlinksInPath()
    else { throw DataError(file: other, problem: "is the store to merge into") }
    guard let writer else { throw DataError(file: path, problem: "is open for reading only") }
    return try Self.guarded(path) {
      try writer.writeWithoutTransaction { db in
        try db.execute(sql: "ATTACH DATABASE ? AS other", arguments: [other])
        defer { try? db.execute(sql: "DETACH DATABASE other") }
        var merge = Merge()
        try db.inTransaction {
          merge = try Self.merge(db)
          return .commit
        }
        return merge
      }
    }
  }

  private static func merge(_ db: Database) throws -> Merge {
    var merge = Merge()
    let sweepColumns = try columns(db, "sweeps")
    try db.execute(
      sql: """
        INSERT INTO main.sweeps (\(sweepColumns)) SELECT \(sweepColumns) FROM other.sweeps
        WHERE uid NOT IN (SELECT uid FROM main.sweeps) ORDER BY id
        """)
    merge.sweeps = db.changesCount
    let runs = try Row.fetchAll(db, sql: "SELECT id, uid, sweep_id, point FROM other.runs ORDER BY id")
    let runColumns = try columns(db, "runs", but: ["sweep_id"])
    for run in runs {
      let sweep = try Int64.fetchOne(
        db, sql: "SELECT id FROM main.sweeps WHERE uid = (SELECT uid FROM other.sweeps WHERE id = ?)",
        arguments: [run["sweep_id"] as Int64?])
      let known = try Bool.fetchOne(
        db, sql: "SELECT EXISTS (SELECT 1 FROM main.runs WHERE uid = ? OR (sweep_id = ? AND point = ?))",
        arguments: [run["uid"] as String, sweep, run["point"] as Int?])
      guard known == false else {
        merge.known += 1
        continue
      }
      let old: Int64 = run["id"]
      try db.execute(
        sql: "INSERT INTO main.runs (sweep_id, \(runColumns)) SELECT ?, \(runColumns) FROM other.runs WHERE id = ?",
        arguments: [sweep, old])
      let new = db.lastInsertedRowID
      for (table, names) in Schema.details {
        let list = names.joined(separator: ", ")
        try db.execute(
          sql: "INSERT INTO main.\(table) (run_id, \(list)) SELECT ?, \(list) FROM other.\(table) WHERE run_id = ?",
          arguments: [new, old])
      }
      merge.runs += 1
    }
    return merge
  }

  private static func columns(_ db: Database, _ table: String, but left: [String] = []) throws -> String {
    try db.columns(in: table).map(\.name).filter { $0 != "id" && !left.contains($0) }.joined(separator: ", ")
  }

  /// What is to be removed.
  package struct Pruning: Sendable {
    /// Started before this moment, UTC, ISO 8601.
    package var before: String?
    package var runs: [Int64] = []
    package var sweeps: [Int64] = []
    /// Runs that found nothing.
    package var failed = false

    package init() {}
  }

  /// How many runs a pruning removes, sweeps' points included.
  /// - Parameter isTrial: Counts only.
  /// - Complexity: O(size of the store) when it removes: the file shrinks too.
  package func prune(_ pruning: Pruning, isTrial: Bool) throws -> Int {
    func list(_ ids: [Int64]) -> String { ids.map(String.init).joined(separator: ", ") }
    var conditions = ["id IN (\(list(pruning.runs)))", "sweep_id IN (\(list(pruning.sweeps)))"]
    if pruning.before != nil { conditions.append("started_at < :before") }
    if pruning.failed { conditions.append("problem IS NOT NULL") }
    let condition = conditions.joined(separator: " OR ")
    let arguments: StatementArguments = pruning.before.map { ["before": $0] } ?? [:]
    let count = try read { db in
      try Int.fetchOne(db, sql: "SELECT count(*) FROM runs WHERE \(condition)", arguments: arguments) ?? 0
    }
    guard !isTrial else { return count }
    try write { db in
      try db.execute(sql: "DELETE FROM runs WHERE \(condition)", arguments: arguments)
      try db.execute(
        sql: """
          DELETE FROM sweeps WHERE id IN (\(list(pruning.sweeps)))
            OR (id NOT IN (SELECT sweep_id FROM runs WHERE sweep_id IS NOT NULL) AND \(pruning.before == nil ? "0" : "started_at < :before"))
          """, arguments: arguments)
    }
    if count > 0, let writer { try Self.guarded(path) { try writer.vacuum() } }
    return count
  }
}
