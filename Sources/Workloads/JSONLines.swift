import Documents

/// The lines of a file of JSON objects, one a line; blank lines are skipped.
struct JSONLines {
  private static let longestLine = 4 << 20

  let file: String
  private let source: ByteSource
  private(set) var line = 0

  init(source: ByteSource, file: String) {
    self.source = source
    self.file = file
    source.skipByteOrderMark()
  }

  /// The next line that is not blank, or nothing at the end.
  mutating func next() throws -> [UInt8]? {
    while let text = source.nextLine(limit: Self.longestLine) {
      line += 1
      guard text.count <= Self.longestLine else { throw error(nil, "is longer than \(Self.longestLine) bytes") }
      if !text.allSatisfy(JSONScanner.isSpace) { return text }
    }
    guard !source.failed else { throw error(nil, "cannot be read to its end") }
    return nil
  }

  func error(_ field: String?, _ problem: String) -> DataError {
    DataError(file: file, line: line, field: field, problem: problem)
  }
}

extension JSONScanner {
  /// Reads the keys and values of the one object that a line is.
  /// - Parameters:
  ///   - field: The key being read, for messages.
  ///   - value: Reads the value of a key.
  mutating func object(_ field: inout String?, value: (String, inout JSONScanner) throws(Fault) -> Void) throws(Fault) {
    try expect("{")
    repeat {
      field = nil
      let name = try string()
      field = name
      try expect(":")
      try value(name, &self)
    } while skip(",")
    field = nil
    try expect("}")
    guard isAtEnd() else { throw fault(expected: "the end of the line") }
  }
}
