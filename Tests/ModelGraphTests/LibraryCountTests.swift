import Documents
import Foundation
import Testing

@testable import ModelGraph

/// Small invented configurations that exercise every switch of a family: biases, tying, dense first layers, absent
/// experts, odd head widths. `LibraryCounts.json` holds what the transformers library (5.23) counts for each, buffers
/// of routing corrections included.
@Suite("Counts of the transformers library")
struct LibraryCountTests {
  private static let path = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "LibraryCounts.json").path

  private static func cases() throws -> [ObjectReader] {
    try JSONDocument.read(path: path).array().map { try $0.object() }
  }

  static let names = ((try? cases()) ?? []).compactMap { try? $0.string("name") }

  @Test("there is a case for most architectures")
  func coverage() throws {
    let types = try Set(Self.cases().map { try $0.required("config").object().string("model_type") })
    #expect(types.count >= 40)
    #expect(types.isSubset(of: ModelReader.architectures))
  }

  @Test("ours are the same", arguments: names)
  func same(name: String) throws {
    let found = try #require(try Self.cases().first { try $0.string("name") == name })
    let model = try ModelReader.model(from: found.required("config"), name: name)
    #expect(model.parameterCount == (try found.int("parameters")))
  }
}
