import GRDB

/// The tables, and how they came to be. A migration that has shipped never changes; later ones are added below it.
enum Schema {
  /// Marks the file as ours: "RIDG" in ASCII.
  static let applicationID = 0x5249_4447

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 runs, predictions, series, sweeps") { db in
      try db.execute(sql: "PRAGMA application_id = \(applicationID)")
      try db.execute(sql: first)
    }
    return migrator
  }

  /// Tables that hang on a run, with the columns that rows are written in.
  static let details: [(table: String, columns: [String])] = [
    ("settings", ["field", "value", "number"]),
    ("predictions", ["metric", "value", "low", "high"]),
    ("distributions", ["metric", "share", "value"]),
    (
      "series",
      ["time_s", "waiting", "running", "occupancy", "replicas_up", "power_w", "output_tokens_per_s"]
    ),
    (
      "operators",
      ["phase", "position", "name", "instances", "time_s", "energy_j", "flops", "bytes", "bound", "peak_flops_per_s"]
    ),
    ("assumptions", ["position", "subject", "value", "source"]),
  ]

  private static let first = """
    CREATE TABLE sweeps (
      id INTEGER PRIMARY KEY,
      uid TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      title TEXT NOT NULL,
      document TEXT NOT NULL,
      points INTEGER NOT NULL,
      tool_version TEXT NOT NULL,
      data_hash TEXT NOT NULL,
      calibrations TEXT NOT NULL,
      host TEXT NOT NULL,
      started_at TEXT NOT NULL
    );
    CREATE TABLE runs (
      id INTEGER PRIMARY KEY,
      uid TEXT NOT NULL UNIQUE,
      sweep_id INTEGER REFERENCES sweeps(id) ON DELETE CASCADE,
      point INTEGER,
      kind TEXT NOT NULL,
      name TEXT NOT NULL,
      headline TEXT NOT NULL,
      scenario TEXT NOT NULL,
      command TEXT NOT NULL,
      tool_version TEXT NOT NULL,
      data_hash TEXT NOT NULL,
      calibrations TEXT NOT NULL,
      seed INTEGER,
      host TEXT NOT NULL,
      started_at TEXT NOT NULL,
      elapsed_s REAL NOT NULL,
      problem TEXT,
      UNIQUE (sweep_id, point)
    );
    CREATE TABLE settings (
      run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
      field TEXT NOT NULL, value TEXT NOT NULL, number REAL,
      PRIMARY KEY (run_id, field)
    ) WITHOUT ROWID;
    CREATE TABLE predictions (
      run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
      metric TEXT NOT NULL, value REAL, low REAL, high REAL,
      PRIMARY KEY (run_id, metric)
    ) WITHOUT ROWID;
    CREATE TABLE distributions (
      run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
      metric TEXT NOT NULL, share REAL NOT NULL, value REAL NOT NULL,
      PRIMARY KEY (run_id, metric, share)
    ) WITHOUT ROWID;
    CREATE TABLE series (
      run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
      time_s REAL NOT NULL, waiting INTEGER NOT NULL, running INTEGER NOT NULL, occupancy REAL NOT NULL,
      replicas_up INTEGER NOT NULL, power_w REAL, output_tokens_per_s REAL,
      PRIMARY KEY (run_id, time_s)
    ) WITHOUT ROWID;
    CREATE TABLE operators (
      run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
      phase TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, instances INTEGER NOT NULL,
      time_s REAL NOT NULL, energy_j REAL NOT NULL, flops REAL NOT NULL, bytes REAL NOT NULL, bound TEXT NOT NULL,
      peak_flops_per_s REAL NOT NULL,
      PRIMARY KEY (run_id, phase, position)
    ) WITHOUT ROWID;
    CREATE TABLE assumptions (
      run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
      position INTEGER NOT NULL, subject TEXT NOT NULL, value TEXT NOT NULL, source TEXT NOT NULL,
      PRIMARY KEY (run_id, position)
    ) WITHOUT ROWID;
    """
}
