import Documents
import Foundation
import ModelGraph
import Testing

/// One folder of `Workloads/Models`, as its `about.yaml` describes it.
struct ShippedModel: Sendable, CustomTestStringConvertible {
  let name: String
  let folder: String
  let title: String
  let aliases: [String]
  let parameters: Int
  let activeParameters: Int?
  let sources: [String: String]

  var testDescription: String { name }
  var configuration: String { folder + "/config.json" }

  func read() throws -> Model { try ModelReader.read(path: configuration, name: name) }

  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Workloads/Models").path

  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted()

  init(name: String) throws {
    self.name = name
    folder = Self.root + "/" + name
    let fields = try YAMLDocument.read(path: folder + "/about.yaml").object()
    guard try fields.string("name") == name else { throw fields.node.error("name is not the folder's name") }
    title = try fields.string("title")
    aliases = try fields.optionalStrings("aliases")
    parameters = try fields.int("parameters", in: 1...100_000_000_000_000)
    activeParameters = try fields.optionalInt("active_parameters", in: 1...parameters)
    let origins = try fields.required("sources").object()
    sources = try Dictionary(uniqueKeysWithValues: origins.keys.map { ($0, try origins.string($0)) })
    try fields.finish()
  }
}
