import Documents
import Foundation

@testable import ReferenceEngine

/// Random models from configurations in tests.
enum RandomModel {
  static func make(_ configuration: String, _ formats: EngineModel.FormatChoice = .init()) throws -> EngineModel {
    try EngineModel.random(
      configuration: JSONDocument.parse(configuration, file: "config.json"), name: "random", formats: formats)
  }
}
