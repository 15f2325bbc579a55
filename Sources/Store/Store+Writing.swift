import GRDB

extension Store {
  /// Adds runs in one transaction; those that are there already, by uid or by sweep and point, are left as they are.
  /// - Parameter sweep: The sweep they are points of, with each one's number.
  /// - Returns: The number of each in the store, in order.
  /// - Throws: `DataError`; nothing of the batch is written then.
  @discardableResult
  package func add(_ runs: [RunRecord], sweep: Int64? = nil, points: [Int] = []) throws -> [Int64] {
    precondition(sweep == nil ? points.isEmpty : points.count == runs.count, "a sweep's run needs its point")
    return try write { db in
      try runs.enumerated().map { index, run in
        let point = sweep == nil ? nil : points[index]
        if let known = try Self.known(db, run.uid, sweep, point) { return known }
        let id = try Self.insert(db, run, sweep, point)
        try Self.insertDetails(db, run, id)
        return id
      }
    }
  }

  private static func known(_ db: Database, _ uid: String, _ sweep: Int64?, _ point: Int?) throws -> Int64? {
    try Int64.fetchOne(
      db, sql: "SELECT id FROM runs WHERE uid = ? OR (sweep_id = ? AND point = ?)", arguments: [uid, sweep, point])
  }

  private static func insert(_ db: Database, _ run: RunRecord, _ sweep: Int64?, _ point: Int?) throws -> Int64 {
    let origin = run.provenance
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO runs (uid, sweep_id, point, kind, name, headline, scenario, command, tool_version, data_hash,
          calibrations, seed, host, started_at, elapsed_s, problem) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
        """)
    try statement.execute(
      arguments: [
        run.uid, sweep, point, run.kind, run.name, run.headline, run.scenario, run.command, origin.toolVersion,
        origin.dataHash, jsonObject(origin.calibrations), run.seed, origin.host, origin.startedAt, run.elapsed,
        run.problem,
      ])
    return db.lastInsertedRowID
  }

  private static func insertDetails(_ db: Database, _ run: RunRecord, _ id: Int64) throws {
    try insert(db, "settings", id, run.settings) { row, item, _ in
      row.bind(item.field)
      row.bind(item.value)
      row.bind(item.number)
    }
    try insert(db, "predictions", id, run.predictions) { row, item, _ in
      row.bind(item.metric)
      row.bind(item.value)
      row.bind(item.low)
      row.bind(item.high)
    }
    try insert(db, "distributions", id, run.distributions) { row, item, _ in
      row.bind(item.metric)
      row.bind(item.share)
      row.bind(item.value)
    }
    try insert(db, "series", id, run.series, Self.bind)
    try insert(db, "operators", id, run.operators) { row, item, position in
      row.bind(item.phase)
      row.bind(position)
      row.bind(item.name)
      row.bind(item.instances)
      row.bind(item.time)
      row.bind(item.energy)
      row.bind(item.flops)
      row.bind(item.bytes)
      row.bind(item.bound)
      row.bind(item.peak)
    }
    try insert(db, "assumptions", id, run.assumptions) { row, item, position in
      row.bind(position)
      row.bind(item.subject)
      row.bind(item.value)
      row.bind(item.source)
    }
  }

  private static func bind(_ row: inout RowWriter, _ item: SeriesRow, _: Int) {
    row.bind(item.time)
    row.bind(item.waiting)
    row.bind(item.running)
    row.bind(item.occupancy)
    row.bind(item.replicasUp)
    row.bind(item.power)
    row.bind(item.outputTokensPerSecond)
  }

  /// - Parameter bind: Binds the columns of ``Schema/details``, given the item's position.
  private static func insert<Item>(
    _ db: Database, _ table: String, _ id: Int64, _ items: [Item], _ bind: (inout RowWriter, Item, Int) -> Void
  ) throws {
    guard !items.isEmpty, let columns = Schema.details.first(where: { $0.table == table })?.columns else { return }
    var row = try RowWriter(db, table: table, columns: ["run_id"] + columns)
    for (position, item) in items.enumerated() {
      row.bind(Int(id))
      bind(&row, item, position)
      try row.insert(db)
    }
  }

  /// Adds a stretch of a run's time series, one transaction a call.
  /// - Complexity: About a microsecond a row.
  package func append(_ rows: [SeriesRow], to run: Int64) throws {
    try write { try Self.insert($0, "series", run, rows, Self.bind) }
  }

  // MARK: Sweeps

  /// The sweep with this uid, made when there is none yet.
  package func sweep(_ record: SweepRecord) throws -> Int64 {
    try write { db in
      if let known = try Int64.fetchOne(db, sql: "SELECT id FROM sweeps WHERE uid = ?", arguments: [record.uid]) {
        return known
      }
      let origin = record.provenance
      try db.execute(
        sql: """
          INSERT INTO sweeps (uid, name, title, document, points, tool_version, data_hash, calibrations, host, started_at)
          VALUES (?,?,?,?,?,?,?,?,?,?)
          """,
        arguments: [
          record.uid, record.name, record.title, record.document, record.points, origin.toolVersion, origin.dataHash,
          Self.jsonObject(origin.calibrations), origin.host, origin.startedAt,
        ])
      return db.lastInsertedRowID
    }
  }

  /// Numbers of the points of a sweep that are in the store.
  package func pointsDone(of sweep: Int64) throws -> Set<Int> {
    try read { db in
      Set(try Int.fetchAll(db, sql: "SELECT point FROM runs WHERE sweep_id = ?", arguments: [sweep]))
    }
  }

  static func jsonObject(_ pairs: [(name: String, hash: String)]) -> String {
    // Names of files and hexadecimal digits need no escapes.
    "{" + pairs.map { "\"\($0.name)\": \"\($0.hash)\"" }.joined(separator: ", ") + "}"
  }
}
