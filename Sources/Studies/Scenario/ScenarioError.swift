/// A scenario whose parts do not go together, or that lacks one.
package struct ScenarioError: Error, CustomStringConvertible, Sendable {
  package let description: String

  package init(_ description: String) { self.description = description }
}
