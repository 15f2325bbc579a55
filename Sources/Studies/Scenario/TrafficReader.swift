import Documents
import Workloads

/// Reads the traffic of a scenario: a name, a trace, or a description in place.
enum TrafficReader {
  static func settings(_ node: Node) throws -> TrafficSettings {
    var settings = TrafficSettings()
    if case .string = node.value {
      settings.origin = .named(Located(try path(node), at: node))
      return settings
    }
    try node.strictObject { block in
      settings.origin = try origin(block)
      settings.rate = try block.optionalDouble("rate_per_s", in: 1e-6...1e6)
      settings.timeScale = try block.optionalDouble("time_scale", in: 1e-6...1e6)
      try checkLoad(block, settings)
    }
    return settings
  }

  private static func origin(_ block: ObjectReader) throws -> TrafficSettings.Origin {
    let choices = ["name", "trace", "described"].compactMap { key in block.optional(key).map { (key, $0) } }
    guard choices.count == 1, let (key, node) = choices.first else {
      throw block.node.error("expected one of 'name', 'trace' and 'described'")
    }
    return switch key {
    case "name": .named(Located(try path(node), at: node))
    case "trace": .trace(path: try path(node))
    default: .described(try TrafficFile.read(node))
    }
  }

  private static func checkLoad(_ block: ObjectReader, _ settings: TrafficSettings) throws {
    if case .trace = settings.origin {
      if let rate = block.optional("rate_per_s") {
        throw rate.error("is for generated traffic; 'time_scale' changes a trace's load")
      }
    } else if let scale = block.optional("time_scale") {
      throw scale.error("is for traces; 'rate_per_s' changes generated traffic")
    }
  }

  /// A file is named relative to the scenario that names it; a plain name is left as it is.
  static func path(_ node: Node) throws -> String {
    let name = try node.string()
    let isFile = name.contains("/") || name.contains(".")
    guard isFile, !name.hasPrefix("/"), let end = node.file.lastIndex(of: "/") else { return name }
    return node.file[...end] + name
  }
}
