import Documents
import GRDB
import Reporting

/// A stored run without its rows.
package struct StoredRun: Sendable {
  package var id: Int64
  package var uid: String
  package var sweep: Int64?
  package var point: Int?
  package var kind: String
  package var name: String
  package var headline: String
  package var scenario: String
  package var command: String
  package var toolVersion: String
  package var dataHash: String
  package var calibrations: String
  package var seed: Int?
  package var host: String
  package var startedAt: String
  package var elapsed: Double
  package var problem: String?

  init(_ row: Row) {
    id = row["id"]
    uid = row["uid"]
    sweep = row["sweep_id"]
    point = row["point"]
    kind = row["kind"]
    name = row["name"]
    headline = row["headline"]
    scenario = row["scenario"]
    command = row["command"]
    toolVersion = row["tool_version"]
    dataHash = row["data_hash"]
    calibrations = row["calibrations"]
    seed = row["seed"]
    host = row["host"]
    startedAt = row["started_at"]
    elapsed = row["elapsed_s"]
    problem = row["problem"]
  }
}

/// A stored sweep, with how far it has come.
package struct StoredSweep: Sendable {
  package var id: Int64
  package var uid: String
  package var name: String
  package var title: String
  package var document: String
  package var points: Int
  package var done: Int
  package var failed: Int
  package var startedAt: String
  package var toolVersion: String
  package var host: String
  package var calibrations: String

  init(_ row: Row) {
    id = row["id"]
    uid = row["uid"]
    name = row["name"]
    title = row["title"]
    document = row["document"]
    points = row["points"]
    done = row["done"]
    failed = row["failed"]
    startedAt = row["started_at"]
    toolVersion = row["tool_version"]
    host = row["host"]
    calibrations = row["calibrations"]
  }
}

/// One point of a stored sweep: what was set, what came out.
package struct StoredPoint: Sendable {
  package var run: Int64
  package var point: Int
  package var settings: [Setting]
  package var metrics: [String: Double]
  package var problem: String?

  package init(run: Int64, point: Int, settings: [Setting], metrics: [String: Double], problem: String?) {
    self.run = run
    self.point = point
    self.settings = settings
    self.metrics = metrics
    self.problem = problem
  }
}

extension Store {
  // MARK: Runs

  /// - Parameters:
  ///   - sweep: Points of this sweep only; nothing for runs that stand alone.
  package func runs(sweep: Int64? = nil) throws -> [StoredRun] {
    try read { db in
      let condition = sweep == nil ? "sweep_id IS NULL" : "sweep_id = \(sweep ?? 0)"
      return try Row.fetchAll(db, sql: "SELECT * FROM runs WHERE \(condition) ORDER BY id").map(StoredRun.init)
    }
  }

  /// The run with a number, or with a uid that begins so.
  /// - Throws: `DataError` when there is none, or several.
  package func run(_ name: String) throws -> StoredRun {
    let found = try read { db in
      let rows = try Row.fetchAll(
        db, sql: "SELECT * FROM runs WHERE id = ? OR (length(?) >= 6 AND substr(uid, 1, length(?)) = ?) ORDER BY id",
        arguments: [Int64(name), name, name, name])
      return rows.map(StoredRun.init)
    }
    if found.count == 1 { return found[0] }
    if let exact = found.first(where: { String($0.id) == name }) { return exact }
    guard found.isEmpty else { throw DataError(file: path, problem: "has several runs that begin with \(shown(name))") }
    let known = try read { try Int64.fetchAll($0, sql: "SELECT id FROM runs ORDER BY id DESC LIMIT 3") }.reversed()
    let hint = known.isEmpty ? "it is empty" : "the latest are \(known.map(String.init).joined(separator: ", "))"
    throw DataError(file: path, problem: "has no run \(shown(name)); \(hint)")
  }

  package func metrics(of run: Int64) throws -> [StoredMetric] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM predictions WHERE run_id = ? ORDER BY metric", arguments: [run])
        .map { StoredMetric($0["metric"], $0["value"], low: $0["low"], high: $0["high"]) }
    }
  }

  package func settings(of run: Int64) throws -> [Setting] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM settings WHERE run_id = ? ORDER BY field", arguments: [run])
        .map { Setting(field: $0["field"], value: $0["value"], number: $0["number"]) }
    }
  }

  package func distributions(of run: Int64) throws -> [DistributionPoint] {
    try read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM distributions WHERE run_id = ? ORDER BY metric, share", arguments: [run]
      ).map { DistributionPoint(metric: $0["metric"], share: $0["share"], value: $0["value"]) }
    }
  }

  package func series(of run: Int64) throws -> [SeriesRow] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM series WHERE run_id = ? ORDER BY time_s", arguments: [run]).map {
        SeriesRow(
          time: $0["time_s"], waiting: $0["waiting"], running: $0["running"], occupancy: $0["occupancy"],
          replicasUp: $0["replicas_up"], power: $0["power_w"], outputTokensPerSecond: $0["output_tokens_per_s"])
      }
    }
  }

  package func operators(of run: Int64) throws -> [OperatorRow] {
    try read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM operators WHERE run_id = ? ORDER BY phase DESC, position", arguments: [run]
      )
      .map {
        OperatorRow(
          phase: $0["phase"], name: $0["name"], instances: $0["instances"], time: $0["time_s"],
          energy: $0["energy_j"], flops: $0["flops"], bytes: $0["bytes"], bound: $0["bound"],
          peak: $0["peak_flops_per_s"])
      }
    }
  }

  package func assumptions(of run: Int64) throws -> [Assumption] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM assumptions WHERE run_id = ? ORDER BY position", arguments: [run])
        .map { Assumption($0["subject"], $0["value"], source: $0["source"]) }
    }
  }

  // MARK: Sweeps

  package func sweeps() throws -> [StoredSweep] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT s.*, (SELECT count(*) FROM runs r WHERE r.sweep_id = s.id) AS done,
            (SELECT count(*) FROM runs r WHERE r.sweep_id = s.id AND r.problem IS NOT NULL) AS failed
          FROM sweeps s ORDER BY s.id
          """
      ).map(StoredSweep.init)
    }
  }

  /// The sweep with a name, a number, or a uid that begins so; the latest of several of one name.
  /// - Throws: `DataError` when there is none.
  package func sweep(named name: String) throws -> StoredSweep {
    let all = try sweeps()
    if let found = all.last(where: { $0.name == name }) { return found }
    if let found = all.first(where: { String($0.id) == name || (name.count >= 6 && $0.uid.hasPrefix(name)) }) {
      return found
    }
    let names = all.map(\.name)
    throw DataError(
      file: path,
      problem: "has no sweep \(shown(name))"
        + (names.isEmpty ? "; it holds none" : "; it holds \(names.suffix(5).joined(separator: ", "))"))
  }

  /// Points of a sweep in their order.
  package func points(of sweep: Int64) throws -> [StoredPoint] {
    try read { db in
      var points: [Int64: StoredPoint] = [:]
      var order: [Int64] = []
      let runs = try Row.fetchCursor(
        db, sql: "SELECT id, point, problem FROM runs WHERE sweep_id = ? ORDER BY point", arguments: [sweep])
      while let row = try runs.next() {
        let id: Int64 = row["id"]
        order.append(id)
        points[id] = StoredPoint(run: id, point: row["point"], settings: [], metrics: [:], problem: row["problem"])
      }
      let settings = try Row.fetchCursor(
        db,
        sql:
          "SELECT s.* FROM settings s JOIN runs r ON r.id = s.run_id WHERE r.sweep_id = ? ORDER BY s.run_id, s.field",
        arguments: [sweep])
      while let row = try settings.next() {
        points[row["run_id"]]?.settings.append(
          Setting(field: row["field"], value: row["value"], number: row["number"]))
      }
      let metrics = try Row.fetchCursor(
        db, sql: "SELECT p.* FROM predictions p JOIN runs r ON r.id = p.run_id WHERE r.sweep_id = ?",
        arguments: [sweep])
      while let row = try metrics.next() {
        let name: String = row["metric"]
        if let value: Double = row["value"] { points[row["run_id"]]?.metrics[name] = value }
      }
      return order.compactMap { points[$0] }
    }
  }

  // MARK: Anything

  /// What a question in SQL answers; changes nothing.
  /// - Throws: `DataError` with SQLite's words for a question it does not understand, or that would change the store.
  package func answer(_ sql: String) throws -> ResultTable {
    try read { db in
      let statement = try db.makeStatement(sql: sql)
      guard statement.isReadonly else {
        throw DataError(file: path, problem: "is only asked here, and this would change it: \(shown(sql))")
      }
      let rows = try Row.fetchCursor(statement)
      var table = ResultTable(columns: Self.distinct(statement).map { ResultTable.Column($0) })
      while let row = try rows.next() { table.append(row.map { Self.cell($0.1) }) }
      return table
    }
  }

  /// Names of columns; a second one of a name gets a number, so that no column hides another.
  private static func distinct(_ statement: Statement) -> [String] {
    var counts: [String: Int] = [:]
    return statement.columnNames.map { name in
      counts[name, default: 0] += 1
      return counts[name] == 1 ? name : "\(name)_\(counts[name] ?? 0)"
    }
  }

  private static func cell(_ value: DatabaseValue) -> ResultTable.Cell {
    switch value.storage {
    case .null: .missing
    case .int64(let number): .int(Int(number))
    case .double(let number): .number(number)
    case .string(let text): .text(text)
    case .blob(let data): .text("\(data.count) bytes")
    }
  }
}
