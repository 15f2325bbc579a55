/// Reads JSON (RFC 8259, nothing looser) into nodes that know their line and path.
///
/// Why not Foundation's decoder: it accepts trailing commas, keeps one of two equal keys without a word, and forgets
/// where a value stood.
package enum JSONDocument {
  /// Deeper nesting is refused.
  static let deepest = 64

  package static func read(path: String) throws -> Node {
    try parse(TextFile.document(at: path), file: path)
  }

  /// - Parameter line: The line of the file that the text begins on.
  package static func parse(_ text: String, file: String, line: Int = 1) throws -> Node {
    var parser = JSONParser(text: Array(text.utf8), file: file, line: line)
    return try parser.document()
  }
}

/// A recursive descent over the bytes of one document.
private struct JSONParser {
  let text: [UInt8]
  let file: String
  var position = 0
  var line = 1

  mutating func document() throws -> Node {
    let root = try value(path: "", depth: 0)
    skipSpace()
    guard position == text.count else { throw fault("the end of the document") }
    return root
  }

  // MARK: Values

  private mutating func value(path: String, depth: Int) throws -> Node {
    skipSpace()
    guard depth <= JSONDocument.deepest else {
      throw DataError(file: file, line: line, problem: "nests deeper than \(JSONDocument.deepest) levels")
    }
    let start = line
    let value: Node.Value
    guard let first = peek else { throw fault("a value") }
    switch first {
    case UInt8(ascii: "{"): value = .object(try object(path: path, depth: depth))
    case UInt8(ascii: "["): value = .array(try array(path: path, depth: depth))
    case UInt8(ascii: "\""): value = .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): value = try number(path: path)
    case UInt8(ascii: "t"): value = try word("true", .bool(true))
    case UInt8(ascii: "f"): value = try word("false", .bool(false))
    case UInt8(ascii: "n"): value = try word("null", .null)
    default: throw fault("a value")
    }
    return Node(value, file: file, path: path, line: start)
  }

  private mutating func object(path: String, depth: Int) throws -> [(key: String, value: Node)] {
    position += 1
    var pairs: [(key: String, value: Node)] = []
    var seen: Set<String> = []
    skipSpace()
    if take("}") { return pairs }
    while true {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else { throw fault("a key in quotes") }
      let key = try string()
      guard seen.insert(key).inserted else {
        throw DataError(file: file, line: line, problem: "key \(shown(key)) appears twice")
      }
      skipSpace()
      guard take(":") else { throw fault("':'") }
      pairs.append((key, try value(path: path.isEmpty ? key : "\(path).\(key)", depth: depth + 1)))
      skipSpace()
      if take("}") { return pairs }
      guard take(",") else { throw fault("',' or '}'") }
    }
  }

  private mutating func array(path: String, depth: Int) throws -> [Node] {
    position += 1
    var items: [Node] = []
    skipSpace()
    if take("]") { return items }
    while true {
      items.append(try value(path: "\(path)[\(items.count)]", depth: depth + 1))
      skipSpace()
      if take("]") { return items }
      guard take(",") else { throw fault("',' or ']'") }
    }
  }

  private mutating func word(_ word: String, _ value: Node.Value) throws -> Node.Value {
    guard text[position...].starts(with: word.utf8) else { throw fault("a value") }
    position += word.utf8.count
    return value
  }

  /// `-`, digits without a leading zero, a fraction, an exponent.
  private mutating func number(path: String) throws -> Node.Value {
    let start = position
    _ = take("-")
    let whole = position
    try digits()
    guard text[whole] != UInt8(ascii: "0") || position == whole + 1 else { throw fault("no zero before a number") }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
    let spelled = String(decoding: text[start..<position], as: UTF8.self)
    if let exact = Int(spelled) { return .int(exact) }
    guard let real = Double(spelled), real.isFinite else {
      throw DataError(file: file, line: line, field: path, problem: "found \(shown(spelled)), a number too large")
    }
    return .double(real)
  }

  private mutating func digits() throws {
    let start = position
    while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
    guard position > start else { throw fault("a digit") }
  }

  // MARK: Strings

  private mutating func string() throws -> String {
    position += 1
    var bytes: [UInt8] = []
    while let byte = peek, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw fault("no control character in a text") }
      position += 1
      if byte == UInt8(ascii: "\\") { bytes += try escape() } else { bytes.append(byte) }
    }
    guard take("\"") else { throw fault("a closing quote") }
    return String(decoding: bytes, as: UTF8.self)
  }

  private mutating func escape() throws -> [UInt8] {
    guard let byte = peek else { throw fault("an escaped character") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [8]
    case UInt8(ascii: "f"): return [12]
    case UInt8(ascii: "n"): return [10]
    case UInt8(ascii: "r"): return [13]
    case UInt8(ascii: "t"): return [9]
    case UInt8(ascii: "u"): return Array(String(try escapedScalar()).utf8)
    default: throw fault("a known escape")
    }
  }

  /// Four hexadecimal digits, or two such groups for a character beyond the basic plane.
  private mutating func escapedScalar() throws -> Character {
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return Character(scalar) }
    guard first < 0xDC00, take("\\"), take("u") else { throw fault("the second half of an escaped character") }
    let second = try hexadecimal()
    guard (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw fault("the second half of an escaped character") }
    return Character(scalar)
  }

  private mutating func hexadecimal() throws -> UInt32 {
    let end = position + 4
    guard end <= text.count, text[position..<end].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let value = UInt32(String(decoding: text[position..<end], as: UTF8.self), radix: 16)
    else { throw fault("four hexadecimal digits") }
    position = end
    return value
  }

  // MARK: Bytes

  private var peek: UInt8? { position < text.count ? text[position] : nil }

  private mutating func take(_ mark: Unicode.Scalar) -> Bool {
    guard let byte = peek, UInt32(byte) == mark.value else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
      if byte == 0x0A { line += 1 }
      position += 1
    }
  }

  private func fault(_ expected: String) -> DataError {
    guard let byte = peek else {
      return DataError(file: file, line: line, problem: "is not JSON: ends too early, expected \(expected)")
    }
    let found = (0x21..<0x7F).contains(byte) ? "'\(Unicode.Scalar(byte))'" : "byte \(byte)"
    return DataError(file: file, line: line, problem: "is not JSON: found \(found), expected \(expected)")
  }
}
