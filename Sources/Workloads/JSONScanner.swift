import Documents

/// Takes the values of one line of JSON from its front; knows only what traces need.
///
/// Small and strict where a general decoder costs microseconds a line and forgets which column was wrong.
struct JSONScanner {
  struct Fault: Error {
    var problem: String
  }

  private let text: [UInt8]
  private var position = 0

  init(_ text: [UInt8]) { self.text = text }

  static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 }

  private mutating func peek() -> UInt8? {
    while position < text.count, Self.isSpace(text[position]) { position += 1 }
    return position < text.count ? text[position] : nil
  }

  /// Whether nothing but space is left.
  mutating func isAtEnd() -> Bool { peek() == nil }

  mutating func skip(_ mark: Unicode.Scalar) -> Bool {
    guard let byte = peek(), UInt32(byte) == mark.value else { return false }
    position += 1
    return true
  }

  mutating func expect(_ mark: Unicode.Scalar) throws(Fault) {
    guard skip(mark) else { throw fault(expected: "'\(mark)'") }
  }

  /// A fault at the current column, saying what was found there.
  mutating func fault(expected: String) -> Fault {
    guard let byte = peek() else { return Fault(problem: "ends too early, expected \(expected)") }
    let found = (33..<127).contains(byte) ? "'\(Unicode.Scalar(byte))'" : "byte \(byte)"
    return Fault(problem: "has \(found) in column \(position + 1), expected \(expected)")
  }

  /// A text without escapes, such as every key of a trace.
  mutating func string() throws(Fault) -> String {
    try expect("\"")
    let start = position
    while position < text.count, text[position] != UInt8(ascii: "\"") {
      guard text[position] >= 32, text[position] != UInt8(ascii: "\\") else { throw fault(expected: "a plain key") }
      position += 1
    }
    guard let string = String(validating: text[start..<position], as: UTF8.self) else {
      throw Fault(problem: "is not UTF-8 text")
    }
    guard position < text.count else { throw fault(expected: "'\"'") }
    position += 1
    return string
  }

  /// A whole number without sign, fraction or exponent, within a range.
  mutating func int(in range: ClosedRange<Int>) throws(Fault) -> Int {
    let spelled = number()
    guard let number = Int(spelled), spelled.utf8.first != UInt8(ascii: "+") else {
      if spelled.isEmpty { throw fault(expected: "a whole number") }
      throw Fault(problem: "found \(shown(spelled)), expected a whole number")
    }
    guard range.contains(number) else {
      throw Fault(problem: "found \(number), expected a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A number of seconds from 0 to 9 G, exact to the nanosecond where it has no exponent.
  mutating func nanoseconds() throws(Fault) -> Int64 {
    let spelled = number()
    guard let seconds = Double(spelled), seconds.isFinite else {
      if spelled.isEmpty { throw fault(expected: "a number") }
      throw Fault(problem: "found \(shown(spelled)), expected a number")
    }
    guard seconds >= 0, seconds <= 9e9 else {
      throw Fault(problem: "found \(shown(spelled)), expected a number from 0 to 9000000000")
    }
    let parts = spelled.split(separator: ".", omittingEmptySubsequences: false)
    let fraction = parts.count == 2 ? parts[1].prefix(9) : ""
    if let whole = Int64(parts[0]), whole >= 0,
      let part = Int64(fraction + String(repeating: "0", count: 9 - fraction.count))
    {
      return whole * 1_000_000_000 + part
    }
    return Int64((seconds * 1e9).rounded())
  }

  /// Passes over a value of any kind.
  mutating func skipValue(depth: Int = 0) throws(Fault) {
    guard depth <= 64 else { throw Fault(problem: "nests deeper than 64 levels") }
    switch peek() {
    case UInt8(ascii: "\""): try skipString()
    case UInt8(ascii: "["): try skipList(until: "]", depth: depth, keyed: false)
    case UInt8(ascii: "{"): try skipList(until: "}", depth: depth, keyed: true)
    case let byte? where Self.isNumeral(byte):
      let spelled = number()
      guard Double(spelled) != nil else { throw Fault(problem: "found \(shown(spelled)), expected a number") }
    default:
      let start = position
      while position < text.count, (97...122).contains(text[position]) { position += 1 }
      guard ["true", "false", "null"].contains(String(decoding: text[start..<position], as: UTF8.self)) else {
        position = start
        throw fault(expected: "a value")
      }
    }
  }

  private mutating func skipList(until end: Unicode.Scalar, depth: Int, keyed: Bool) throws(Fault) {
    position += 1
    guard !skip(end) else { return }
    repeat {
      if keyed {
        guard peek() == UInt8(ascii: "\"") else { throw fault(expected: "a key") }
        try skipString()
        try expect(":")
      }
      try skipValue(depth: depth + 1)
    } while skip(",")
    try expect(end)
  }

  private mutating func skipString() throws(Fault) {
    position += 1
    while position < text.count, text[position] != UInt8(ascii: "\"") {
      guard text[position] >= 32 else { throw fault(expected: "no control character in a text") }
      position += text[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    guard position < text.count else { throw Fault(problem: "ends inside a text") }
    position += 1
  }

  /// The characters of a number, which may turn out not to be one.
  private mutating func number() -> String {
    _ = peek()
    let start = position
    while position < text.count, Self.isNumeral(text[position]) { position += 1 }
    return String(decoding: text[start..<position], as: UTF8.self)
  }

  private static func isNumeral(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): true
    default: false
    }
  }
}
