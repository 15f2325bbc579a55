import Quantities

/// A value read from a YAML or JSON document that remembers where it stood.
package struct Node: Sendable {
  package indirect enum Value: Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([Node])
    case object([(key: String, value: Node)])
  }

  package let value: Value
  package let file: String
  /// Dotted path from the document's root, empty at the root.
  package let path: String
  package let line: Int?

  package init(_ value: Value, file: String, path: String = "", line: Int? = nil) {
    self.value = value
    self.file = file
    self.path = path
    self.line = line
  }

  package func error(_ problem: String, nearest: String? = nil) -> DataError {
    DataError(file: file, line: line, field: path, problem: problem, nearest: nearest)
  }

  /// What kind of value this is and what it says, for messages.
  package var found: String {
    switch value {
    case .null: "nothing"
    case .bool(let flag): "\(flag)"
    case .int(let number): "\(number)"
    case .double(let number): "\(number)"
    case .string(let text): shown(text)
    case .array(let items): "a list of \(items.count)"
    case .object(let pairs): "a table of \(pairs.count) keys"
    }
  }

  package var isNull: Bool { if case .null = value { true } else { false } }

  // MARK: Scalars

  package func string() throws -> String {
    switch value {
    case .string(let text) where !text.isEmpty: return text
    case .int(let number): return String(number)
    default: throw error("found \(found), expected a text")
    }
  }

  package func bool() throws -> Bool {
    guard case .bool(let flag) = value else { throw error("found \(found), expected true or false") }
    return flag
  }

  /// A whole number within a range; also one written as `4096.0`.
  package func int(in range: ClosedRange<Int> = 0...1_000_000_000_000) throws -> Int {
    var number: Int?
    if case .int(let exact) = value { number = exact }
    if case .double(let real) = value { number = Int(exactly: real) }
    guard let number else { throw error("found \(found), expected a whole number") }
    guard range.contains(number) else {
      throw error("found \(number), expected a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  package func double(in range: ClosedRange<Double> = 0...1e30) throws -> Double {
    var number: Double?
    if case .int(let exact) = value { number = Double(exact) }
    if case .double(let real) = value { number = real }
    guard let number, number.isFinite else { throw error("found \(found), expected a finite number") }
    guard range.contains(number) else {
      throw error("found \(number), expected a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A quantity with its unit, positive unless `allowingZero`.
  package func quantity<D>(_: D.Type, allowingZero: Bool = false) throws -> Quantity<D> {
    let text: String
    switch value {
    case .string(let spelled): text = spelled
    case .int, .double: text = found
    default: throw error("found \(found), expected a \(D.title) such as '1 \(D.symbols[0].text)'")
    }
    let quantity: Quantity<D>
    do {
      quantity = try Quantity<D>(parsing: text)
    } catch {
      switch error {
      case .notANumber:
        throw self.error("found \(shown(text)), expected a number and a unit of \(D.title)")
      case .missingUnit(_, let example):
        throw self.error("found \(shown(text)) without a unit, expected a \(D.title) such as '\(example)'")
      case .unknownUnit(_, let unit, let dimension, let nearest):
        throw self.error("\(shown(unit)) is no unit of \(dimension)", nearest: nearest)
      }
    }
    guard quantity.value > 0 || (allowingZero && quantity.value == 0) else {
      throw error("found \(shown(text)), expected a \(allowingZero ? "non-negative" : "positive") \(D.title)")
    }
    guard quantity.value < 1e30 else { throw error("found \(shown(text)), beyond anything physical") }
    return quantity
  }

  /// One of a closed set of words.
  package func choice<Choice: RawRepresentable & CaseIterable>(_: Choice.Type) throws -> Choice
  where Choice.RawValue == String {
    let text = try string()
    let names = Choice.allCases.map(\.rawValue)
    guard let choice = Choice(rawValue: text) else {
      throw error(
        "found \(shown(text)), expected one of \(names.joined(separator: ", "))",
        nearest: nearestName(to: text, among: names))
    }
    return choice
  }

  // MARK: Collections

  package func array() throws -> [Node] {
    guard case .array(let items) = value else { throw error("found \(found), expected a list") }
    return items
  }

  package func object() throws -> ObjectReader {
    guard case .object(let pairs) = value else { throw error("found \(found), expected a table of keys") }
    return ObjectReader(node: self, pairs: pairs)
  }

  /// Reads a table whose every key must be asked for; a key nobody asked for is an error.
  package func strictObject<Result>(_ read: (ObjectReader) throws -> Result) throws -> Result {
    let reader = try object()
    let result = try read(reader)
    try reader.finish()
    return result
  }
}
