import Documents

/// Reads traffic from YAML; `Workloads/README.md` describes the format.
package enum TrafficFile {
  /// Reads `Workloads/Traffic/NAME.yaml` or a file of the user's own.
  /// - Throws: `DataError`, naming line and field; unknown keys and numbers without a source are errors.
  package static func read(path: String, name: String? = nil) throws -> Traffic {
    try traffic(YAMLDocument.read(path: path), name: name)
  }

  package static func parse(_ text: String, file: String) throws -> Traffic {
    try traffic(YAMLDocument.parse(text, file: file), name: nil)
  }

  /// Reads traffic that stands inside another document.
  package static func read(_ node: Node) throws -> Traffic { try traffic(node, name: nil) }

  private static func traffic(_ document: Node, name: String?) throws -> Traffic {
    try document.strictObject { file in
      let sources = try SourceTable(file)
      let reader = TrafficFileReader(sources: sources, file: document.file)
      let name = try checkedName(file, name)
      let arrivals = try file.optional("arrivals").map(reader.arrivals)
      let classes = try reader.classes(of: file)
      try checkArrivals(arrivals, classes, file)
      let traffic = Traffic(
        name: name,
        title: try file.string("title"),
        aliases: try file.optionalStrings("aliases"),
        arrivals: arrivals,
        classes: classes,
        requests: try file.int("requests", in: 1...1_000_000_000),
        notes: try file.optionalString("notes"),
        citations: sources.byField)
      guard !traffic.branchesInClosedLoop else {
        throw file.node.error("has agents with branches in a closed loop, where one answer brings forth one request")
      }
      return traffic
    }
  }

  /// Common arrivals and classes with a share of them go together.
  private static func checkArrivals(_ common: ArrivalProcess?, _ classes: [TrafficClass], _ file: ObjectReader) throws {
    let sharing = classes.first { $0.ownArrivals == nil }
    if common == nil, let sharing {
      _ = try classes.count == 1 && file.optional("classes") == nil ? file.required("arrivals") : file.node
      throw file.node.error("class '\(sharing.about.name)' has a share of arrivals, but 'arrivals' is missing")
    }
    if common != nil, sharing == nil {
      throw try file.required("arrivals").error("no class has a share of these arrivals: each has its own")
    }
  }
}

/// Reads the blocks of one traffic file.
struct TrafficFileReader {
  let sources: SourceTable
  /// Its path, which paths inside it are relative to.
  let file: String

  /// A file that the traffic file names.
  func path(_ node: Node) throws -> String {
    let name = try node.string()
    guard !name.hasPrefix("/"), let end = file.lastIndex(of: "/") else { return name }
    return file[...end] + name
  }
}

extension Traffic: CatalogueEntry {
  package static let title = "traffic"
  package static let listed = "traffic"

  package static func read(path: String, name: String) throws -> Traffic {
    try TrafficFile.read(path: path, name: name)
  }
}
