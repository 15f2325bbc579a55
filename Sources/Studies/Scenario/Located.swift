import Documents
import Serving

/// A text that a user gave, with the place in a file it stood at; none for an option of the command line.
package struct Located: Sendable, Hashable {
  package var text: String
  private let node: Node?

  package init(_ text: String) {
    self.text = text
    node = nil
  }

  package init(_ node: Node) throws {
    text = try node.string()
    self.node = node
  }

  package init(_ text: String, at node: Node) {
    self.text = text
    self.node = node
  }

  /// Resolves the text, and says where it stood when it names nothing.
  package func resolved<Value>(_ resolve: (String) throws -> Value) throws -> Value {
    do {
      return try resolve(text)
    } catch let error as UnknownName {
      throw node?.error(error.description) ?? error
    } catch let error as PolicyError {
      throw node?.error(error.description) ?? error
    }
  }

  package static func == (left: Located, right: Located) -> Bool { left.text == right.text }
  package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
