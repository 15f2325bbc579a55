import Documents

/// A grid of runs that answers a question: some ways to serve, compared under one circumstance after another, at several
/// loads.
package struct Study: Sendable {
  package var name: String
  package var title: String
  /// What it asks, and how it goes about it, for the head of the report.
  package var question: String
  /// What is compared; its first value is the reference.
  package var compared: Axis
  /// The circumstances; every combination of their values is a page of its own.
  package var facets: [Axis]
  /// Shares of the rate at which the reference just meets the goal.
  package var loads: [Double]
  package var goal: CapacityGoal
  /// Whether the capacity of every compared value is searched, not only the reference's.
  package var searchesCapacities: Bool
  package var replications: Int
  /// What the report draws and tells of.
  package var metrics: [RunMetric]
  /// The scenario that values change.
  let base: Node

  /// Something that differs between runs.
  package struct Axis: Sendable {
    package var name: String
    package var values: [Value]
  }

  /// One of the things it can be: changes to the scenario.
  package struct Value: Sendable {
    package var name: String
    package var about: String?
    /// What it has in common with others, which the report tells of together.
    package var group: String?
    let changes: [Node]
  }

  /// Every combination of the facets' values, by index, the last facet changing fastest.
  package var pages: [[Int]] {
    facets.reduce([[]]) { pages, facet in pages.flatMap { page in facet.values.indices.map { page + [$0] } } }
  }

  package func pageName(_ page: [Int]) -> String {
    page.isEmpty ? name : zip(facets, page).map { $0.values[$1].name }.joined(separator: ", ")
  }

  /// The scenario of one value under one page's circumstances.
  /// - Throws: `DataError` where the changes make no scenario.
  package func scenario(_ value: Int, _ page: [Int]) throws -> Scenario {
    let changes = zip(facets, page).flatMap { $0.values[$1].changes } + compared.values[value].changes
    let document = try changes.reduce(base) { try $0.changed(by: $1) }
    var scenario = try ScenarioFile.scenario(document, name: nil)
    if case .objectives(let objective?) = goal.demand { scenario.demand = objective }
    return scenario
  }
}

extension Node {
  /// This document with another's values in place of its own: tables key by key, everything else as a whole.
  func changed(by change: Node) throws -> Node {
    guard case .object(let own) = value, case .object(let new) = change.value else { return change }
    var pairs = own
    for (key, value) in new {
      if let index = pairs.firstIndex(where: { $0.key == key }) {
        pairs[index].value = try pairs[index].value.changed(by: value)
      } else {
        pairs.append((key: key, value: value))
      }
    }
    return Node(.object(pairs), file: file, path: path, line: line)
  }
}
