import Quantities

/// Something chosen by name with some of its parameters: a policy, a technique.
///
/// On a command line and in a file: `sarathi`, `sarathi:chunk=512`, `srpt-predicted:tau=0.5`. A choice whose first
/// parameter is a text takes it without its name: `expression:"input_tokens - 10 * waited",lengths=oracle`. Commas within
/// quotes or parentheses belong to the value, and the quotes may be left out.
package struct NamedChoice: Sendable, Hashable {
  package var name: String
  package var values: ChoiceValues

  /// Reads a choice against the entries there are.
  /// - Parameters:
  ///   - kind: What is chosen, for messages: "scheduler".
  /// - Throws: ``ChoiceError``, naming the nearest entry or parameter, or the range.
  package static func parse(_ text: String, kind: String, among entries: [ChoiceDescription]) throws(ChoiceError)
    -> NamedChoice
  {
    let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let description = try find(halves[0], kind: kind, among: entries)
    var parameters: [(name: String, value: String)] = []
    for item in halves.count == 2 ? items(halves[1]) : [] {
      parameters.append(try sides(item, description, kind: kind, isFirst: parameters.isEmpty))
    }
    return try make(description, parameters, kind: kind)
  }

  /// The same from a name and parameters that were read apart, as from a scenario file.
  /// - Throws: ``ChoiceError``, as ``parse(_:kind:among:)``.
  package static func make(
    name: String, parameters: [(name: String, value: String)], kind: String, among entries: [ChoiceDescription]
  ) throws(ChoiceError) -> NamedChoice {
    try make(find(name, kind: kind, among: entries), parameters, kind: kind)
  }

  package static func find(
    _ name: String, kind: String, among entries: [ChoiceDescription]
  ) throws(ChoiceError) -> ChoiceDescription {
    if let found = entries.first(where: { $0.name == name }) { return found }
    throw ChoiceError(
      kind: kind, problem: "unknown \(kind) '\(name)'", expected: entries.map(\.name), nearestTo: name)
  }

  private static func make(
    _ description: ChoiceDescription, _ parameters: [(name: String, value: String)], kind: String
  ) throws(ChoiceError) -> NamedChoice {
    var choice = NamedChoice(name: description.name, values: ChoiceValues(standardsOf: description))
    var given: Set<String> = []
    for (name, value) in parameters {
      guard given.insert(name).inserted else {
        throw ChoiceError("\(kind) '\(description.name)': '\(name)' is given twice")
      }
      try choice.set(name, value, description, kind: kind)
    }
    if let missing = description.parameters.first(where: { !choice.values.has($0.name) }) {
      throw ChoiceError("\(kind) '\(description.name)' needs \(missing.name): \(missing.meaning)")
    }
    return choice
  }

  private mutating func set(
    _ name: String, _ value: String, _ description: ChoiceDescription, kind: String
  ) throws(ChoiceError) {
    guard let parameter = description.parameters.first(where: { $0.name == name }) else {
      throw ChoiceError(
        kind: kind, problem: "\(kind) '\(self.name)' has no parameter '\(name)'",
        expected: description.parameters.map(\.name), nearestTo: name)
    }
    guard let read = parameter.value(value) else {
      throw ChoiceError("\(kind) '\(self.name)', \(name): found '\(value)', expected \(parameter.expected)")
    }
    values.set(name, read)
  }

  // MARK: Text

  /// A text cut at the commas outside quotes and parentheses.
  private static func items(_ text: String) -> [String] {
    var items = [""]
    var quote: Character?
    var depth = 0
    for character in text {
      if let open = quote {
        if character == open { quote = nil }
      } else if character == "\"" || character == "'" {
        quote = character
      } else if character == "(" {
        depth += 1
      } else if character == ")" {
        depth -= 1
      } else if character == ",", depth <= 0 {
        items.append("")
        continue
      }
      items[items.count - 1].append(character)
    }
    return items
  }

  private static func sides(
    _ item: String, _ description: ChoiceDescription, kind: String, isFirst: Bool
  ) throws(ChoiceError) -> (name: String, value: String) {
    let name = item.prefix { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
    let rest = item.dropFirst(name.count)
    if !name.isEmpty, rest.first == "=", rest.dropFirst().first != "=" {
      return (String(name), unquoted(String(rest.dropFirst())))
    }
    if isFirst, let first = description.parameters.first, case .text = first.kind {
      return (first.name, unquoted(item))
    }
    throw ChoiceError(
      kind: kind, problem: "\(kind) '\(description.name)': '\(item)' is no parameter=value",
      expected: description.parameters.map { parameter in
        "\(parameter.name)=\(parameter.standard.map { "\($0)" } ?? "...")"
      }, nearestTo: nil)
  }

  private static func unquoted(_ text: String) -> String {
    guard text.count >= 2, let first = text.first, first == "\"" || first == "'", text.last == first else {
      return text
    }
    return String(text.dropFirst().dropLast())
  }
}

/// A choice that cannot be: an unknown name, or a parameter out of range.
package struct ChoiceError: Error, CustomStringConvertible, Sendable {
  package let description: String

  init(kind: String, problem: String, expected: [String], nearestTo name: String?) {
    let list = expected.isEmpty ? "" : ", expected one of \(expected.joined(separator: ", "))"
    let hint = name.flatMap { nearestName(to: $0, among: expected) }.map { "; did you mean '\($0)'?" } ?? ""
    description = problem + list + hint
  }

  package init(_ description: String) { self.description = description }
}
