import Yams

/// Reads YAML into nodes that know their line. Strict: one document, text keys, no duplicates, bounded nesting.
package enum YAMLDocument {
  /// Deeper nesting is refused before the parser recurses into it.
  static let deepest = 64
  /// More values than this (after anchors are expanded) are refused.
  static let largest = 200_000

  package static func read(path: String) throws -> Node {
    try parse(TextFile.document(at: path), file: path)
  }

  package static func parse(_ text: String, file: String) throws -> Node {
    try refuseDeepNesting(text, file: file)
    try refuseAliases(text, file: file)
    let root: Yams.Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch let error as YamlError {
      throw located(error, file: file)
    } catch {
      throw DataError(file: file, problem: "is not YAML: \(firstLine(error))")
    }
    guard let root else { throw DataError(file: file, problem: "is empty, expected a YAML document") }
    var converter = Converter(file: file)
    return try converter.node(root, path: "", depth: 0)
  }

  /// Bounds flow brackets, `- - -` runs and indentation, the three ways YAML nests.
  private static func refuseDeepNesting(_ text: String, file: String) throws {
    var line = 1
    var brackets = 0
    var leading = 0
    var atStart = true
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\n"):
        line += 1
        leading = 0
        atStart = true
        continue
      case UInt8(ascii: "["), UInt8(ascii: "{"): brackets += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): brackets = max(0, brackets - 1)
      default: break
      }
      if atStart {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: "\t"), UInt8(ascii: ":"):
          leading += 1
        default: atStart = false
        }
      }
      guard brackets <= deepest, leading <= 4 * deepest else {
        throw DataError(file: file, line: line, problem: "nests deeper than \(deepest) levels")
      }
    }
  }

  /// Refuses a name that is both anchored (`&name`) and used (`*name`) where a value may begin. Yams expands aliases
  /// while it parses, so that a few lines of them can stand for more nodes than there is time to compare.
  private static func refuseAliases(_ text: String, file: String) throws {
    var anchors: Set<Substring> = []
    var aliases: [(name: Substring, line: Int)] = []
    var line = 1
    var previous = UInt8(ascii: "\n")
    let bytes = text.utf8
    for index in bytes.indices {
      let byte = bytes[index]
      if byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*"), beginsValue(after: previous) {
        let name = text[bytes.index(after: index)...].prefix { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
        if byte == UInt8(ascii: "&") { anchors.insert(name) } else { aliases.append((name, line)) }
      }
      if byte == UInt8(ascii: "\n") { line += 1 }
      previous = byte
    }
    if let used = aliases.first(where: { !$0.name.isEmpty && anchors.contains($0.name) }) {
      throw DataError(
        file: file, line: used.line,
        problem: "uses a YAML alias, \(shown("*" + used.name)), which is not supported here")
    }
  }

  private static func beginsValue(after byte: UInt8) -> Bool {
    " \t\r\n[]{},:-?".utf8.contains(byte) || byte >= 0x80
  }

  private static func located(_ error: YamlError, file: String) -> DataError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      DataError(file: file, line: mark.line, problem: "is not YAML: \(problem)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      DataError(
        file: file, line: context.mark.line, problem: "key \(shown(duplicates.sorted().first ?? "?")) appears twice")
    default:
      DataError(file: file, problem: "is not YAML: \(firstLine(error))")
    }
  }

  private static func firstLine(_ error: any Error) -> String {
    String("\(error)".split(separator: "\n").first ?? "unreadable")
  }

  private struct Converter {
    let file: String
    var count = 0

    init(file: String) { self.file = file }

    mutating func node(_ yaml: Yams.Node, path: String, depth: Int) throws -> Node {
      count += 1
      let line = yaml.mark?.line
      guard count <= largest, depth <= 4 * deepest else {
        throw DataError(file: file, line: line, field: path, problem: "is too large or too deep a document")
      }
      switch yaml {
      case .scalar(let scalar):
        return Node(value(of: scalar), file: file, path: path, line: line)
      case .sequence(let items):
        let nodes = try items.enumerated().map { index, item in
          try node(item, path: "\(path)[\(index)]", depth: depth + 1)
        }
        return Node(.array(nodes), file: file, path: path, line: line)
      case .mapping(let mapping):
        let pairs = try mapping.map { key, item in
          guard case .scalar(let scalar) = key else {
            throw DataError(file: file, line: line, field: path, problem: "has a key that is not a text")
          }
          let inner = path.isEmpty ? scalar.string : "\(path).\(scalar.string)"
          return (key: scalar.string, value: try node(item, path: inner, depth: depth + 1))
        }
        return Node(.object(pairs), file: file, path: path, line: line)
      case .alias:
        throw DataError(file: file, line: line, field: path, problem: "uses a YAML alias, which is not supported here")
      }
    }

    /// The YAML 1.2 core schema, so that `no` and `1_000` stay texts. `.nan` and `.inf` stay texts too: no field wants them.
    private func value(of scalar: Yams.Node.Scalar) -> Node.Value {
      let text = scalar.string
      guard scalar.style == .plain || scalar.style == .any else { return .string(text) }
      switch text {
      case "", "~", "null", "Null", "NULL": return .null
      case "true", "True", "TRUE": return .bool(true)
      case "false", "False", "FALSE": return .bool(false)
      default: break
      }
      guard let first = text.utf8.first, "0123456789+-.".utf8.contains(first),
        text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) })
      else { return .string(text) }
      if let number = Int(text) { return .int(number) }
      return Double(text).map(Node.Value.double) ?? .string(text)
    }
  }
}
