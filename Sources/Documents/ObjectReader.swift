import Quantities

/// Reads the keys of one table and knows which were asked for, so that leftovers can be refused.
package final class ObjectReader {
  package let node: Node
  private let pairs: [(key: String, value: Node)]
  private let values: [String: Node]
  private var asked: Set<String> = []

  init(node: Node, pairs: [(key: String, value: Node)]) {
    self.node = node
    self.pairs = pairs
    values = Dictionary(pairs.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
  }

  package var keys: [String] { pairs.map(\.key) }

  /// The value under a key that may be absent; `null` counts as absent.
  package func optional(_ key: String) -> Node? {
    asked.insert(key)
    guard let value = values[key], !value.isNull else { return nil }
    return value
  }

  /// The value under a key that must be there.
  package func required(_ key: String) throws -> Node {
    guard let value = optional(key) else {
      throw node.error("'\(key)' is missing", nearest: nearestName(to: key, among: keys.filter { !asked.contains($0) }))
    }
    return value
  }

  /// Throws when a key was never asked for.
  package func finish() throws {
    for (key, value) in pairs where !asked.contains(key) {
      throw value.error("unknown key", nearest: nearestName(to: key, among: asked.filter { $0 != key }.sorted()))
    }
  }

  // MARK: Shorthands

  package func string(_ key: String) throws -> String { try required(key).string() }

  package func optionalString(_ key: String) throws -> String? { try optional(key)?.string() }

  package func int(_ key: String, in range: ClosedRange<Int> = 0...1_000_000_000_000) throws -> Int {
    try required(key).int(in: range)
  }

  package func optionalInt(_ key: String, in range: ClosedRange<Int> = 0...1_000_000_000_000) throws -> Int? {
    try optional(key)?.int(in: range)
  }

  package func double(_ key: String, in range: ClosedRange<Double> = 0...1e30) throws -> Double {
    try required(key).double(in: range)
  }

  package func optionalDouble(_ key: String, in range: ClosedRange<Double> = 0...1e30) throws -> Double? {
    try optional(key)?.double(in: range)
  }

  package func optionalBool(_ key: String) throws -> Bool? { try optional(key)?.bool() }

  package func quantity<D>(_ key: String, _ dimension: D.Type, allowingZero: Bool = false) throws -> Quantity<D> {
    try required(key).quantity(dimension, allowingZero: allowingZero)
  }

  package func optionalQuantity<D>(_ key: String, _ dimension: D.Type, allowingZero: Bool = false) throws -> Quantity<
    D
  >? {
    try optional(key)?.quantity(dimension, allowingZero: allowingZero)
  }

  package func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, _ type: Choice.Type) throws -> Choice
  where Choice.RawValue == String {
    try required(key).choice(type)
  }

  package func optionalChoice<Choice: RawRepresentable & CaseIterable>(_ key: String, _ type: Choice.Type) throws
    -> Choice?
  where Choice.RawValue == String {
    try optional(key)?.choice(type)
  }

  package func optionalArray(_ key: String) throws -> [Node] { try optional(key)?.array() ?? [] }

  package func optionalStrings(_ key: String) throws -> [String] { try optionalArray(key).map { try $0.string() } }
}

/// The `name` of a data file, which must be the name of the file; a document without a file may have any name.
package func checkedName(_ file: ObjectReader, _ expected: String?) throws -> String {
  let name = try file.string("name")
  guard let expected, name != expected else { return name }
  throw try file.required("name").error("found \(shown(name)), expected '\(expected)', the name of the file")
}
