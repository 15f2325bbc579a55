import Foundation

/// Reads a CSV file (RFC 4180: quotes, CRLF, a header line) record by record in constant memory.
///
/// Why not a library: SwiftCSV holds the whole file as dictionaries and accepts ragged rows; this reader streams,
/// names the line of every fault, and parses numbers without making a string of each field.
///
/// ```swift
/// let csv = try CSVReader(path: "cases.csv")
/// while try csv.next() { let batch = try csv.int(column, in: 1...100_000) }
/// ```
package final class CSVReader {
  package let file: String
  /// Column names of the header line.
  package private(set) var header: [String] = []
  /// Line on which the current record begins; the header is line 1.
  package private(set) var line = 1

  private let source: ByteSource
  private var record: [UInt8] = []
  private var ends: [Int] = []
  private var nextLine = 1

  /// Longer records are refused: they are a sign of a missing quote or of a binary file.
  static let longestRecord = 1 << 20

  package convenience init(path: String) throws {
    try self.init(source: ByteSource(path: path), file: path)
  }

  /// Reads from memory, for tests and for text that is already loaded.
  package convenience init(bytes: [UInt8], file: String) throws {
    try self.init(source: ByteSource(bytes: bytes), file: file)
  }

  private init(source: ByteSource, file: String) throws {
    self.source = source
    self.file = file
    var names: [String] = []
    source.skipByteOrderMark()
    guard try readRecord() else { throw DataError(file: file, problem: "is empty, expected a CSV header line") }
    for index in ends.indices { names.append(try text(index).trimmingCharacters(in: .whitespaces)) }
    for (index, name) in names.enumerated() where !name.isEmpty && names[..<index].contains(name) {
      throw DataError(file: file, line: 1, field: name, problem: "column appears twice in the header")
    }
    header = names
  }

  /// The index of a column that must exist.
  package func column(_ name: String) throws -> Int {
    guard let index = header.firstIndex(of: name) else {
      throw DataError(
        file: file, line: 1, problem: "column '\(name)' is missing; found \(header.joined(separator: ", "))")
    }
    return index
  }

  /// Moves to the next record; blank lines are skipped.
  /// - Returns: False at the end of the file.
  package func next() throws -> Bool {
    while try readRecord() {
      if ends.count == 1, record.isEmpty, header.count > 1 { continue }
      guard ends.count == header.count else {
        throw DataError(
          file: file, line: line, problem: "has \(ends.count) fields, expected \(header.count) as in the header")
      }
      return true
    }
    return false
  }

  // MARK: Fields of the current record

  package func isEmpty(_ column: Int) -> Bool { bounds(column).isEmpty }

  package func text(_ column: Int) throws -> String {
    guard let text = String(validating: record[bounds(column)], as: UTF8.self) else {
      throw error(column, "is not UTF-8 text")
    }
    return text
  }

  package func int(_ column: Int, in range: ClosedRange<Int>) throws -> Int {
    let field = bounds(column)
    var number = 0
    var plain = !field.isEmpty && field.count <= 18
    for index in field where plain {
      let digit = Int(record[index]) - 48
      if digit < 0 || digit > 9 { plain = false } else { number = number * 10 + digit }
    }
    if !plain {
      let spelled = try text(column)
      guard let real = decimal(spelled), let exact = Int(exactly: real) else {
        throw error(column, "found \(shown(spelled)), expected a whole number")
      }
      number = exact
    }
    guard range.contains(number) else {
      throw error(column, "found \(number), expected a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  package func double(_ column: Int, in range: ClosedRange<Double>) throws -> Double {
    let spelled = try text(column)
    guard let number = decimal(spelled), number.isFinite else {
      throw error(column, "found \(shown(spelled)), expected a finite number")
    }
    guard range.contains(number) else {
      throw error(column, "found \(spelled), expected a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A number in decimal notation: `1e3`, but not `0x10` or `nan`.
  private func decimal(_ text: String) -> Double? {
    text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) } ? Double(text) : nil
  }

  /// The bytes of a field, for readers of their own formats.
  package func withBytes<Result>(_ column: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows
    -> Result
  {
    let field = bounds(column)
    return try record.withUnsafeBufferPointer { try body(UnsafeBufferPointer(rebasing: $0[field])) }
  }

  package func error(_ column: Int, _ problem: String, nearest: String? = nil) -> DataError {
    DataError(
      file: file, line: line, field: header.indices.contains(column) ? header[column] : nil, problem: problem,
      nearest: nearest)
  }

  // MARK: Records

  private func bounds(_ column: Int) -> Range<Int> { (column == 0 ? 0 : ends[column - 1])..<ends[column] }

  /// Reads one record into `record` and `ends`.
  private func readRecord() throws -> Bool {
    record.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    line = nextLine
    var inQuotes = false
    var afterQuote = false
    var any = false
    while let byte = source.next() {
      any = true
      guard record.count + ends.count < Self.longestRecord else {
        throw DataError(
          file: file, line: line, problem: "is longer than \(Self.longestRecord) bytes; is a quote missing?")
      }
      guard byte != 0 else { throw DataError(file: file, line: line, problem: "contains a NUL byte, expected text") }
      if inQuotes {
        if byte == UInt8(ascii: "\"") {
          if source.peek() == UInt8(ascii: "\"") {
            record.append(byte)
            source.skip()
          } else {
            inQuotes = false
            afterQuote = true
          }
        } else {
          if byte == UInt8(ascii: "\n") { nextLine += 1 }
          record.append(byte)
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""):
        guard record.count == (ends.last ?? 0), !afterQuote else {
          throw DataError(file: file, line: line, problem: "has a quote inside an unquoted field")
        }
        inQuotes = true
      case UInt8(ascii: ","):
        ends.append(record.count)
        afterQuote = false
      case UInt8(ascii: "\n"):
        nextLine += 1
        return finishRecord()
      case UInt8(ascii: "\r") where source.peek() == UInt8(ascii: "\n"): continue
      default:
        guard !afterQuote else {
          throw DataError(file: file, line: line, problem: "has text after a closing quote")
        }
        record.append(byte)
      }
    }
    guard !source.failed else { throw DataError(file: file, line: line, problem: "cannot be read to its end") }
    guard !inQuotes else { throw DataError(file: file, line: line, problem: "ends inside a quoted field") }
    return any ? finishRecord() : false
  }

  private func finishRecord() -> Bool {
    ends.append(record.count)
    return true
  }
}
