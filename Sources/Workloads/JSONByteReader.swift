import Documents

/// Takes JSON values from the front of a file that may be larger than memory; knows only what recordings need.
struct JSONByteReader {
  private let source: ByteSource
  private let file: String
  private var line = 1
  private static let deepest = 64
  private static let longestKey = 1024

  init(source: ByteSource, file: String) {
    self.source = source
    self.file = file
    source.skipByteOrderMark()
  }

  func error(_ problem: String, field: String? = nil) -> DataError {
    DataError(file: file, line: line, field: field, problem: problem)
  }

  private func fault(_ expected: String) -> DataError {
    guard !source.failed else { return error("cannot be read to its end") }
    guard let byte = source.peek() else { return error("ends too early, expected \(expected)") }
    let found = (33..<127).contains(byte) ? "'\(Unicode.Scalar(byte))'" : "byte \(byte)"
    return error("has \(found), expected \(expected)")
  }

  /// The next byte that is not space.
  mutating func peek() -> UInt8? {
    while let byte = source.peek(), JSONScanner.isSpace(byte) || byte == UInt8(ascii: "\n") {
      if byte == UInt8(ascii: "\n") { line += 1 }
      source.skip()
    }
    return source.peek()
  }

  mutating func skip(_ mark: Unicode.Scalar) -> Bool {
    guard let byte = peek(), UInt32(byte) == mark.value else { return false }
    source.skip()
    return true
  }

  mutating func expect(_ mark: Unicode.Scalar) throws {
    guard skip(mark) else { throw fault("'\(mark)'") }
  }

  /// Reads a list, item by item.
  mutating func list(_ item: (inout JSONByteReader) throws -> Void) throws {
    try expect("[")
    guard !skip("]") else { return }
    repeat { try item(&self) } while skip(",")
    try expect("]")
  }

  /// Reads an object, key by key.
  mutating func object(_ value: (String, inout JSONByteReader) throws -> Void) throws {
    try expect("{")
    guard !skip("}") else { return }
    repeat {
      let key = try string()
      try expect(":")
      try value(key, &self)
    } while skip(",")
    try expect("}")
  }

  /// A short text, such as a key.
  mutating func string() throws -> String {
    var bytes: [UInt8] = []
    _ = try text { byte in if bytes.count < Self.longestKey { bytes.append(byte) } }
    guard let string = String(validating: bytes, as: UTF8.self) else { throw error("is not UTF-8 text") }
    return string
  }

  /// How many characters a text has, which is not kept.
  mutating func characters() throws -> Int { try text { _ in } }

  /// Passes over a text.
  /// - Parameter byte: Gets every byte; escapes as they are written.
  /// - Returns: Its characters (Unicode scalars).
  private mutating func text(_ byte: (UInt8) -> Void) throws -> Int {
    guard skip("\"") else { throw fault("a text") }
    var characters = 0
    while let next = source.peek(), next != UInt8(ascii: "\"") {
      guard next >= 32 else { throw fault("no control character in a text") }
      source.skip()
      byte(next)
      if next == UInt8(ascii: "\\") {
        characters += try escape(byte)
      } else if next & 0xC0 != 0x80 {
        characters += 1
      }
    }
    guard source.peek() != nil else { throw fault("the end of a text") }
    source.skip()
    return characters
  }

  /// Passes over what follows a backslash.
  /// - Returns: 1, or 0 for the second half of a character in two halves.
  private mutating func escape(_ byte: (UInt8) -> Void) throws -> Int {
    guard let kind = source.peek(), Self.escapes.contains(kind) else { throw fault("a known escape") }
    source.skip()
    byte(kind)
    guard kind == UInt8(ascii: "u") else { return 1 }
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = source.peek(), let number = Character(Unicode.Scalar(digit)).hexDigitValue else {
        throw fault("four hexadecimal digits")
      }
      value = value << 4 | UInt32(number)
      byte(digit)
      source.skip()
    }
    return (0xDC00...0xDFFF).contains(value) ? 0 : 1
  }

  private static let escapes = Array("\"\\/bfnrtu".utf8)

  /// A whole number from 0 up.
  mutating func int() throws -> Int {
    guard let first = peek(), (48...57).contains(first) else { throw fault("a whole number") }
    var number = 0
    while let byte = source.peek(), (48...57).contains(byte) {
      guard number <= Request.largestTokens else { throw error("found a number above \(Request.largestTokens)") }
      number = number * 10 + Int(byte) - 48
      source.skip()
    }
    return number
  }

  /// Passes over a value of any kind.
  mutating func skipValue(depth: Int = 0) throws {
    guard depth <= Self.deepest else { throw error("nests deeper than \(Self.deepest) levels") }
    switch peek() {
    case UInt8(ascii: "\""): _ = try characters()
    case UInt8(ascii: "["): try list { reader in try reader.skipValue(depth: depth + 1) }
    case UInt8(ascii: "{"): try object { _, reader in try reader.skipValue(depth: depth + 1) }
    default: try skipWord()
    }
  }

  /// Passes over a number, `true`, `false` or `null`.
  private mutating func skipWord() throws {
    var word = ""
    while let byte = source.peek(), Self.isWord(byte), word.utf8.count < 64 {
      word.unicodeScalars.append(Unicode.Scalar(byte))
      source.skip()
    }
    guard
      ["true", "false", "null"].contains(word)
        || (word.first.map { $0.isNumber || $0 == "-" } ?? false) && Double(word) != nil
    else { throw word.isEmpty ? fault("a value") : error("found \(shown(word)), expected a value") }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 97...122, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "E"): true
    default: false
    }
  }
}
