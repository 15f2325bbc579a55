import Quantities

/// The citations of a data file, and the check that every number in it has one.
///
/// A block with numbers carries `source: KEY`, or `source: {field: KEY, ...}` when they come from several places.
package final class SourceTable {
  /// Citation by short key.
  private let citations: [String: String]
  private var used: Set<String> = []
  /// Citation by the path of the number it supports, for example `memories[0].bandwidth`.
  package private(set) var byField: [String: String] = [:]

  package init(_ document: ObjectReader) throws {
    let table = try document.required("sources").object()
    var citations: [String: String] = [:]
    for key in table.keys { citations[key] = try table.string(key) }
    self.citations = citations
  }

  /// Checks that a block's numbers, those of `fields` it contains, are covered by its `source`.
  package func cover(_ block: ObjectReader, _ fields: [String]) throws {
    let present = fields.filter { block.optional($0) != nil }
    guard !present.isEmpty else { return }
    let source = try block.required("source")
    if case .string = source.value {
      for field in present { try cite(source, for: path(block, field)) }
      return
    }
    let keys = try source.object()
    for field in present {
      guard let key = keys.optional(field) else {
        throw source.error("names no source for '\(field)'", nearest: nearestName(to: field, among: keys.keys))
      }
      try cite(key, for: path(block, field))
    }
    try keys.finish()
  }

  private func path(_ block: ObjectReader, _ field: String) -> String {
    block.node.path.isEmpty ? field : "\(block.node.path).\(field)"
  }

  private func cite(_ key: Node, for field: String) throws {
    let name = try key.string()
    guard let citation = citations[name] else {
      throw key.error(
        "\(shown(name)) is not in the file's sources", nearest: nearestName(to: name, among: citations.keys.sorted()))
    }
    byField[field] = citation
  }
}
