import GRDB
import GRDBSQLite

/// Inserts many rows of one table through binds on the bare statement: a fifth of the time of anything higher.
struct RowWriter {
  private let statement: Statement
  private let handle: OpaquePointer
  private var column: Int32 = 0
  /// SQLite copies what is bound, because texts here live shorter than the statement.
  private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  /// - Parameter columns: In the order in which values are bound.
  init(_ db: Database, table: String, columns: [String]) throws {
    let places = columns.map { _ in "?" }.joined(separator: ", ")
    statement = try db.cachedStatement(
      sql: "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(places))")
    handle = statement.sqliteStatement
  }

  mutating func bind(_ value: Int?) {
    column += 1
    if let value { sqlite3_bind_int64(handle, column, Int64(value)) } else { sqlite3_bind_null(handle, column) }
  }

  /// Numbers that are not finite have no place in the store: they are left empty.
  mutating func bind(_ value: Double?) {
    column += 1
    if let value, value.isFinite {
      sqlite3_bind_double(handle, column, value)
    } else {
      sqlite3_bind_null(handle, column)
    }
  }

  mutating func bind(_ value: String?) {
    column += 1
    if let value {
      sqlite3_bind_text(handle, column, value, -1, Self.transient)
    } else {
      sqlite3_bind_null(handle, column)
    }
  }

  /// Inserts the row that has been bound.
  mutating func insert(_ db: Database) throws {
    column = 0
    let code = sqlite3_step(handle)
    sqlite3_reset(handle)
    guard code == SQLITE_DONE else {
      throw DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage)
    }
  }
}
