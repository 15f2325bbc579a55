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
