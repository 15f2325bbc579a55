import Documents
import GRDB

/// A fault of the database, in words that say what to do.
struct StoreFault {
  let message: DataError

  init(_ error: DatabaseError, _ path: String) {
    message = DataError(file: path, problem: Self.problem(error))
  }

  private static func problem(_ error: DatabaseError) -> String {
    switch error.resultCode {
    case .SQLITE_FULL: "cannot grow (is the disk full?); what was written before is kept"
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      "is damaged or no store at all; keep a copy, then try: sqlite3 FILE .recover | sqlite3 NEW"
    case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
      "cannot be opened or written (permission, or a read-only folder?)"
    case .SQLITE_IOERR: "cannot be read or written (is the disk full or failing?); what was written before is kept"
    case .SQLITE_BUSY, .SQLITE_LOCKED: "is being written by another process, which did not let go within 30 s"
    case .SQLITE_INTERRUPT: "was interrupted"
    default: error.message ?? "cannot be used (SQLite error \(error.resultCode.rawValue))"
    }
  }
}
