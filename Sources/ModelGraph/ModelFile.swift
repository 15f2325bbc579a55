import Documents
import Foundation

/// A shipped or downloaded model: its architecture, and what is published about it.
package struct ModelFile: Sendable {
  package var name: String
  package var title: String
  package var aliases: [String]
  package var model: Model
  /// Published totals, when the entry has an `about.yaml`.
  package var publishedParameters: Int?
  package var publishedActiveParameters: Int?
}

extension ModelFile: CatalogueEntry {
  package static let title = "model"
  package static let isFolder = true

  /// Reads `about.yaml` with the `config.json` beside it, or a bare `config.json` from a checkpoint.
  package static func read(path: String, name: String) throws -> ModelFile {
    guard path.hasSuffix("about.yaml") else {
      let folder = URL(fileURLWithPath: path).standardized.deletingLastPathComponent().lastPathComponent
      let shown = name == "config" && !folder.isEmpty ? folder : name
      return ModelFile(name: shown, title: shown, aliases: [], model: try ModelReader.read(path: path, name: shown))
    }
    let config = (path as NSString).deletingLastPathComponent + "/config.json"
    return try YAMLDocument.read(path: path).strictObject { file in
      let sources = try file.required("sources").object()
      for key in sources.keys { _ = try sources.string(key) }
      return ModelFile(
        name: try file.string("name"),
        title: try file.string("title"),
        aliases: try file.optionalStrings("aliases"),
        model: try ModelReader.read(path: config, name: name),
        publishedParameters: try file.int("parameters", in: 1...100_000_000_000_000),
        publishedActiveParameters: try file.optionalInt("active_parameters", in: 1...100_000_000_000_000))
    }
  }
}
