import Documents
import Quantities

/// A policy chosen by name with some of its parameters: `sarathi` or `sarathi:chunk=512,lead=2`.
package struct PolicyChoice: Sendable, Equatable {
  package var name: String
  package var values: PolicyValues

  /// Reads a choice against the policies there are.
  /// - Parameters:
  ///   - kind: What is chosen, for messages: "scheduler".
  /// - Throws: ``PolicyError``, naming the nearest policy or parameter, or the range.
  package static func parse(_ text: String, kind: String, among policies: [PolicyDescription]) throws(PolicyError)
    -> PolicyChoice
  {
    let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let description = try find(halves[0], kind: kind, among: policies)
    var choice = PolicyChoice(name: description.name, values: PolicyValues(standardsOf: description))
    guard halves.count == 2 else { return choice }
    for item in halves[1].split(separator: ",", omittingEmptySubsequences: false) {
      try choice.set(String(item), description, kind: kind)
    }
    return choice
  }

  package static func find(
    _ name: String, kind: String, among policies: [PolicyDescription]
  ) throws(PolicyError) -> PolicyDescription {
    if let found = policies.first(where: { $0.name == name }) { return found }
    throw PolicyError(
      kind: kind, problem: "unknown \(kind) '\(name)'", expected: policies.map(\.name), nearestTo: name)
  }

  private mutating func set(
    _ item: String, _ description: PolicyDescription, kind: String
  ) throws(PolicyError) {
    let sides = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard sides.count == 2 else {
      throw PolicyError(
        kind: kind, problem: "\(kind) '\(name)': '\(item)' is no parameter=value",
        expected: description.parameters.map { "\($0.name)=\($0.standard)" }, nearestTo: nil)
    }
    guard let parameter = description.parameters.first(where: { $0.name == sides[0] }) else {
      throw PolicyError(
        kind: kind, problem: "\(kind) '\(name)' has no parameter '\(sides[0])'",
        expected: description.parameters.map(\.name), nearestTo: sides[0])
    }
    guard let value = Double(sides[1]), value.isFinite, parameter.range.contains(value) else {
      let unit = parameter.unit.isEmpty ? "" : " \(parameter.unit)"
      throw PolicyError(
        kind: kind,
        problem: "\(kind) '\(name)', \(parameter.name): found '\(sides[1])', expected a number from "
          + "\(parameter.range.lowerBound) to \(parameter.range.upperBound)\(unit)", expected: [], nearestTo: nil)
    }
    values[parameter.name] = value
  }
}

/// A policy that cannot be: an unknown name, or a parameter out of range.
package struct PolicyError: Error, CustomStringConvertible, Sendable {
  package let description: String

  init(kind: String, problem: String, expected: [String], nearestTo name: String?) {
    let list = expected.isEmpty ? "" : ", expected one of \(expected.joined(separator: ", "))"
    let hint = name.flatMap { nearestName(to: $0, among: expected) }.map { "; did you mean '\($0)'?" } ?? ""
    description = problem + list + hint
  }

  package init(_ description: String) { self.description = description }
}
