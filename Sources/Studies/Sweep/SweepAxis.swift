import Documents
import EventKernel
import Quantities

/// A field of a scenario and the values it takes in a sweep.
package struct SweepAxis: Sendable {
  package enum Values: Sendable {
    case listed([Node])
    /// Numbers between two ends, evenly on a linear or a logarithmic scale.
    case range(SweepRange)
  }

  package var field: String
  package var values: Values
  /// Where it was given, for messages.
  let node: Node

  /// How many values a grid takes.
  var count: Int {
    switch values {
    case .listed(let items): items.count
    case .range(let range): range.steps
    }
  }

  /// A grid's value.
  func value(_ index: Int) -> Node {
    switch values {
    case .listed(let items): items[index]
    case .range(let range): range.node(at: range.steps > 1 ? Double(index) / Double(range.steps - 1) : 0, like: node)
    }
  }

  /// The value at a share of the way, from 0 up to but without 1.
  func value(at share: Double) -> Node {
    switch values {
    case .listed(let items): items[min(items.count - 1, Int(share * Double(items.count)))]
    case .range(let range): range.node(at: share, like: node)
    }
  }
}

/// Numbers from one end to another.
package struct SweepRange: Sendable {
  package enum Scale: String, CaseIterable, Sendable { case linear, log }

  package var from: Double
  package var to: Double
  package var scale = Scale.linear
  package var steps = 5
  /// Rounded to whole numbers.
  package var whole = false
  /// Written after each number; nothing for plain numbers.
  package var unit: String?

  func node(at share: Double, like node: Node) -> Node {
    var value =
      scale == .linear
      ? from + (to - from) * share
      : PortableMath.exp(PortableMath.log(from) + (PortableMath.log(to) - PortableMath.log(from)) * share)
    if share == 1 { value = to }
    if whole { value = value.rounded() }
    let written: Node.Value
    if let unit {
      written = .string("\(roundedText(value, significantDigits: 9)) \(unit)")
    } else {
      written = whole ? .int(Int(value)) : .double(value)
    }
    return Node(written, file: node.file, path: node.path, line: node.line)
  }
}

// MARK: Reading

extension SweepAxis {
  /// Reads an axis of a sweep file: a field with `values`, or with `from` and `to`.
  static func read(_ node: Node) throws -> SweepAxis {
    try node.strictObject { block in
      let field = try block.string("field")
      guard block.optional("from") != nil || block.optional("to") != nil else {
        let list = try block.required("values")
        let values = try list.array()
        guard !values.isEmpty else { throw list.error("is empty, expected at least one value") }
        return SweepAxis(field: field, values: .listed(values), node: node)
      }
      if let list = block.optional("values") { throw list.error("does not go with 'from' and 'to'") }
      var range = SweepRange(
        from: try block.double("from", in: -1e30...1e30), to: try block.double("to", in: -1e30...1e30))
      range.scale = try block.optionalChoice("scale", SweepRange.Scale.self) ?? .linear
      range.steps = try block.optionalInt("steps", in: 1...1_000_000) ?? range.steps
      range.whole = try block.optionalBool("whole") ?? false
      range.unit = try block.optionalString("unit")
      try range.check(node)
      return SweepAxis(field: field, values: .range(range), node: node)
    }
  }

  /// Reads an axis of the command line: `FIELD=A,B,C` or `FIELD=FROM..TO[UNIT][:STEPS][:log][:whole]`.
  /// - Throws: `DataError` that names the option.
  /// - Parameter option: The option's name, for messages.
  package static func parse(_ text: String, option: String = "--vary") throws -> SweepAxis {
    let origin = Node(.string(text), file: "\(option) \(text)")
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
      throw origin.error("expected FIELD=VALUES, such as parallelism.tensor=1,2,4 or traffic.rate_per_s=1..50:8:log")
    }
    let field = String(text[..<equals])
    let values = String(text[text.index(after: equals)...])
    guard !values.isEmpty else { throw origin.error("gives no value") }
    if values.contains("..") { return SweepAxis(field: field, values: .range(try range(values, origin)), node: origin) }
    let list = try YAMLDocument.parse("[\(values)]", file: origin.file).array().map {
      Node($0.value, file: origin.file)
    }
    return SweepAxis(field: field, values: .listed(list), node: origin)
  }

  private static func range(_ text: String, _ origin: Node) throws -> SweepRange {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard let dots = parts[0].range(of: ".."), let from = Double(parts[0][..<dots.lowerBound]) else {
      throw origin.error("expected FROM..TO, such as 1..50 or 300..700W")
    }
    let end = parts[0][dots.upperBound...]
    let digits = end.prefix { $0.isNumber || "+-.e".contains($0) }
    guard let to = Double(digits) else { throw origin.error("expected a number after '..', found \(shown(end))") }
    var range = SweepRange(from: from, to: to)
    let unit = end.dropFirst(digits.count).drop { $0 == " " }
    if !unit.isEmpty { range.unit = String(unit) }
    for option in parts.dropFirst() {
      if let steps = Int(option), steps > 0 {
        range.steps = steps
      } else if option == "log" {
        range.scale = .log
      } else if option == "whole" {
        range.whole = true
      } else {
        throw origin.error("\(shown(option)) is no number of steps, nor log, nor whole")
      }
    }
    try range.check(origin)
    return range
  }
}

extension SweepRange {
  fileprivate func check(_ node: Node) throws {
    guard from.isFinite, to.isFinite, from < to else {
      throw node.error("goes from \(from) to \(to), expected the lower end first")
    }
    guard scale == .linear || from > 0 else {
      throw node.error("starts at \(from), which a logarithmic scale has no place for")
    }
    guard !whole || max(abs(from), abs(to)) < 1e15 else { throw node.error("has ends beyond whole numbers") }
  }
}
