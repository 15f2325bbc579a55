import Quantities

extension Node {
  /// This document with one field set, by its path: `parallelism.tensor`, `pools[0].replicas`. Tables on the way are made
  /// where there are none.
  /// - Throws: `DataError` for a path that is none, or that leads through something that is no table or list.
  package func setting(_ field: String, to value: Node) throws -> Node {
    try setting(FieldPath.steps(of: field, at: value)[...], to: value)
  }

  private func setting(_ steps: ArraySlice<FieldPath.Step>, to new: Node) throws -> Node {
    guard let step = steps.first else { return new }
    let rest = steps.dropFirst()
    switch (step, value) {
    case (.key(let key), .object(var pairs)):
      if let index = pairs.firstIndex(where: { $0.key == key }) {
        pairs[index].value = try pairs[index].value.setting(rest, to: new)
      } else {
        pairs.append(
          (key: key, value: try Node(.object([]), file: new.file, path: key, line: new.line).setting(rest, to: new)))
      }
      return Node(.object(pairs), file: file, path: path, line: line)
    case (.key(let key), .null):
      return try Node(.object([]), file: new.file, path: path, line: new.line).setting([.key(key)] + rest, to: new)
    case (.index(let index), .array(var items)):
      guard items.indices.contains(index) else {
        throw new.error("sets item \(index) of '\(path)', which has \(items.count), counted from 0")
      }
      items[index] = try items[index].setting(rest, to: new)
      return Node(.array(items), file: file, path: path, line: line)
    case (.key(let key), _):
      // A name may be given where a table may too: `traffic: chat-short` is `traffic: {name: chat-short}`.
      if case .string = value, path == "traffic" || path == "preemption" {
        let named = Node(
          .object([(key: path == "traffic" ? "name" : "method", value: self)]), file: file, path: path, line: line)
        return try named.setting(steps, to: new)
      }
      throw new.error("sets \(shown(key)) of '\(path)', which is \(found) and no table")
    case (.index(let index), _):
      throw new.error("sets item \(index) of '\(path)', which is \(found) and no list")
    }
  }

  /// The value at a path; nothing when there is none.
  package func value(at field: String) -> Node? {
    guard let steps = try? FieldPath.steps(of: field, at: self) else { return nil }
    return steps.reduce(self as Node?) { node, step in
      switch (step, node?.value) {
      case (.key(let key), .object(let pairs)?): pairs.first { $0.key == key }?.value
      case (.index(let index), .array(let items)?): items.indices.contains(index) ? items[index] : nil
      default: nil
      }
    }
  }

  /// The document as JSON on one line, keys in their order.
  package var json: String {
    switch value {
    case .null: "null"
    case .bool(let flag): "\(flag)"
    case .int(let number): "\(number)"
    case .double(let number): number.isFinite ? "\(number)" : "null"
    case .string(let text): Self.quoted(text)
    case .array(let items): "[" + items.map(\.json).joined(separator: ", ") + "]"
    case .object(let pairs):
      "{" + pairs.map { Self.quoted($0.key) + ": " + $0.value.json }.joined(separator: ", ") + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case _ where scalar.value < 0x20:
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

/// The way to a field: keys, and positions in lists.
enum FieldPath {
  enum Step: Equatable {
    case key(String)
    case index(Int)
  }

  /// - Throws: `DataError` at a node, for a text that is no path.
  static func steps(of field: String, at node: Node) throws -> [Step] {
    let parts = field.split(separator: ".", omittingEmptySubsequences: false)
    return try parts.flatMap { part -> [Step] in
      let pieces = part.split(separator: "[", omittingEmptySubsequences: false)
      guard let key = pieces.first, !key.isEmpty else { throw fault(field, node) }
      return try [.key(String(key))]
        + pieces.dropFirst().map { piece in
          guard piece.hasSuffix("]"), let index = Int(piece.dropLast()), index >= 0 else { throw fault(field, node) }
          return .index(index)
        }
    }
  }

  private static func fault(_ field: String, _ node: Node) -> DataError {
    node.error("\(shown(field)) is no field, expected a path such as parallelism.tensor or pools[0].replicas")
  }
}
