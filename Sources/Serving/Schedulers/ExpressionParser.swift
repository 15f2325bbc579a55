import Quantities

/// Reads a ``PriorityExpression`` by recursive descent, into postfix order.
struct ExpressionParser {
  private enum Token: Equatable {
    case number(Double)
    case name(String)
    case symbol(String)
    case end
  }

  /// A formula for a key is short; more is a slip, and would nest without bounds.
  private static let longest = 2000
  private static let deepest = 64

  private let text: [UInt8]
  private var position = 0
  private var token = Token.end
  /// Where the token begins, from 0.
  private var start = 0
  private var depth = 0
  private var program: [PriorityExpression.Instruction] = []

  init(_ text: String) { self.text = Array(text.utf8) }

  mutating func parse() throws(PolicyError) -> [PriorityExpression.Instruction] {
    guard text.count <= Self.longest else {
      throw PolicyError("expression of \(text.count) characters, expected \(Self.longest) at most")
    }
    try advance()
    try formula()
    guard token == .end else { throw unexpected("an operator or the end") }
    return program
  }

  // MARK: Grammar

  private mutating func formula() throws(PolicyError) {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else { throw error("nested more than \(Self.deepest) deep") }
    try sum()
    if let comparison = binary(["<", "<=", ">", ">=", "==", "!="]) {
      try advance()
      try sum()
      program.append(.binary(comparison))
    }
  }

  private mutating func sum() throws(PolicyError) {
    try product()
    while let operation = binary(["+", "-"]) {
      try advance()
      try product()
      program.append(.binary(operation))
    }
  }

  private mutating func product() throws(PolicyError) {
    try unary()
    while let operation = binary(["*", "/"]) {
      try advance()
      try unary()
      program.append(.binary(operation))
    }
  }

  private mutating func unary() throws(PolicyError) {
    var isNegative = false
    while token == .symbol("-") || token == .symbol("+") {
      if token == .symbol("-") { isNegative.toggle() }
      try advance()
    }
    try value()
    if isNegative { program.append(.negate) }
  }

  private mutating func value() throws(PolicyError) {
    switch token {
    case .number(let value):
      program.append(.number(value))
      try advance()
    case .name(let name): try named(name)
    case .symbol("("):
      try advance()
      try formula()
      try expect(")")
    default: throw unexpected("a number, a field, a function or '('")
    }
  }

  private mutating func named(_ name: String) throws(PolicyError) {
    if let field = RequestField(rawValue: name) {
      program.append(.field(field))
      try advance()
      if token == .symbol("(") { throw error("\(name) is a field, not a function") }
    } else if let function = PriorityExpression.Function(rawValue: name) {
      try advance()
      try call(function)
    } else {
      let names = RequestField.allCases.map(\.rawValue) + PriorityExpression.Function.allCases.map(\.rawValue)
      let hint = nearestName(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
      throw error("unknown field '\(name)', expected one of \(names.joined(separator: ", "))" + hint)
    }
  }

  private mutating func call(_ function: PriorityExpression.Function) throws(PolicyError) {
    let place = start
    try expect("(")
    var count = 0
    repeat {
      if count > 0 { try advance() }
      try formula()
      count += 1
      // The least or greatest of many is that of two, again and again.
      if function.arguments == nil, count > 1 { program.append(.call(function)) }
    } while token == .symbol(",")
    try expect(")")
    guard let expected = function.arguments else {
      if count < 2 { throw error("\(function.rawValue) takes two arguments or more, found 1", at: place) }
      return
    }
    guard count == expected else {
      throw error(
        "\(function.rawValue) takes \(expected) argument\(expected > 1 ? "s" : ""), found \(count)", at: place)
    }
    program.append(.call(function))
  }

  private func binary(_ symbols: [String]) -> PriorityExpression.Operator? {
    guard case .symbol(let symbol) = token, symbols.contains(symbol) else { return nil }
    return PriorityExpression.Operator(rawValue: symbol)
  }

  private mutating func expect(_ symbol: String) throws(PolicyError) {
    guard token == .symbol(symbol) else { throw unexpected("'\(symbol)'") }
    try advance()
  }

  // MARK: Tokens

  private mutating func advance() throws(PolicyError) {
    while position < text.count, text[position] == 32 || text[position] == 9 || text[position] == 10 { position += 1 }
    start = position
    guard position < text.count else {
      token = .end
      return
    }
    let byte = text[position]
    if Self.isDigit(byte) || byte == UInt8(ascii: ".") {
      token = .number(try number())
    } else if Self.isLetter(byte) {
      token = .name(take { Self.isLetter($0) || Self.isDigit($0) })
    } else {
      token = .symbol(try symbol())
    }
  }

  private mutating func number() throws(PolicyError) -> Double {
    var word = take { Self.isDigit($0) || $0 == UInt8(ascii: ".") }
    if position < text.count, text[position] | 32 == UInt8(ascii: "e") {
      word += take { $0 | 32 == UInt8(ascii: "e") }
      if position < text.count, text[position] == UInt8(ascii: "-") || text[position] == UInt8(ascii: "+") {
        word += String(UnicodeScalar(text[position]))
        position += 1
      }
      word += take(Self.isDigit)
    }
    guard let value = Double(word), value.isFinite else { throw error("'\(word)' is no number") }
    return value
  }

  private mutating func symbol() throws(PolicyError) -> String {
    let rest = text[position...]
    for symbol in ["<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "(", ")", ","]
    where rest.starts(with: symbol.utf8) {
      position += symbol.utf8.count
      return symbol
    }
    let character = String(decoding: rest, as: UTF8.self).first.map { "\($0)" } ?? "?"
    throw error("found '\(character)', which means nothing here")
  }

  private mutating func take(_ belongs: (UInt8) -> Bool) -> String {
    let begin = position
    while position < text.count, belongs(text[position]) { position += 1 }
    return String(decoding: text[begin..<position], as: UTF8.self)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 32) || byte == UInt8(ascii: "_")
  }

  // MARK: Messages

  private func unexpected(_ expected: String) -> PolicyError {
    let found =
      switch token {
      case .number(let value): "\(PolicyValue.number(value))"
      case .name(let name): name
      case .symbol(let symbol): symbol
      case .end: ""
      }
    return error(found.isEmpty ? "ends early, expected \(expected)" : "found '\(found)', expected \(expected)")
  }

  private func error(_ problem: String, at place: Int? = nil) -> PolicyError {
    PolicyError(
      "expression '\(String(decoding: text, as: UTF8.self))', character \((place ?? start) + 1): \(problem)")
  }
}
