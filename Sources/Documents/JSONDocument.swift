import Foundation

/// Reads JSON into nodes that know their path.
package enum JSONDocument {
  package static func read(path: String) throws -> Node {
    try parse(TextFile.document(at: path), file: path)
  }

  package static func parse(_ text: String, file: String) throws -> Node {
    let value: JSONValue
    do {
      value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    } catch let DecodingError.dataCorrupted(context) {
      throw DataError(file: file, problem: "is not JSON: \(reason(context))")
    } catch let DecodingError.typeMismatch(_, context) {
      // Every kind of value was tried; Foundation knows the table it stands in, and not why.
      let field = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw DataError(file: file, field: field, problem: "is not JSON: a malformed value, or a number too large")
    } catch {
      throw DataError(file: file, problem: "is not JSON")
    }
    return node(value, file: file, path: "")
  }

  /// Foundation's own words for what is wrong, with line and column when it knows them.
  package static func reason(_ context: DecodingError.Context) -> String {
    if let cause = context.underlyingError as? NSError, let text = cause.userInfo["NSDebugDescription"] as? String {
      return text
    }
    return context.underlyingError.map { "\($0)" } ?? context.debugDescription
  }

  private static func node(_ value: JSONValue, file: String, path: String) -> Node {
    switch value {
    case .null: Node(.null, file: file, path: path)
    case .bool(let flag): Node(.bool(flag), file: file, path: path)
    case .int(let number): Node(.int(number), file: file, path: path)
    case .double(let number): Node(.double(number), file: file, path: path)
    case .string(let text): Node(.string(text), file: file, path: path)
    case .array(let items):
      Node(
        .array(items.enumerated().map { node($1, file: file, path: "\(path)[\($0)]") }), file: file, path: path)
    case .object(let table):
      Node(
        .object(
          table.sorted { $0.key < $1.key }.map { key, item in
            (key: key, value: node(item, file: file, path: path.isEmpty ? key : "\(path).\(key)"))
          }), file: file, path: path)
    }
  }
}

/// Any JSON value.
private indirect enum JSONValue: Decodable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let flag = try? container.decode(Bool.self) {
      self = .bool(flag)
    } else if let number = try? container.decode(Int.self) {
      self = .int(number)
    } else if let number = try? container.decode(Double.self) {
      self = .double(number)
    } else if let text = try? container.decode(String.self) {
      self = .string(text)
    } else if let items = try? container.decode([JSONValue].self) {
      self = .array(items)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }
}
