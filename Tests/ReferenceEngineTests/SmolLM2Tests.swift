import Foundation
import TestSupport
import Testing

@testable import ReferenceEngine

/// The engine against llama.cpp on real weights, whose tokens and logits a script measured (Hardware/Measure).
///
/// The weights are no part of the repository: `make host-check` fetches them, or RIDGELINE_SMOLLM2 names the file.
@Suite(.enabled(if: SmolLM2.path != nil, "SmolLM2-135M is not here: run 'make host-check' or set RIDGELINE_SMOLLM2"))
struct SmolLM2Tests {
  @Test func `texts have the tokens that llama.cpp finds, and tokens give the texts back`() throws {
    let tokenizer = try SmolLM2.loaded().tokenizer
    for prompt in try SmolLM2.reference().prompts {
      #expect(tokenizer.encode(prompt.text) == prompt.tokens)
      #expect(tokenizer.decode(prompt.tokens) == prompt.text)
    }
  }

  @Test func `the first greedy tokens are llama.cpp's, and its likeliest logits lie within 0.005`() throws {
    // Both engines compute in f32 here, on the same quantised weights. All 64 tokens: 'ridgeline host tokens'.
    let model = try EngineModel.gguf(path: SmolLM2.path ?? "", formats: .init(projections: .f32, tables: .f32)).model
    let check = try TokenCheck(reference: SmolLM2.reference(), tokens: 3)
    let outcome = try check.run(model, pool: WorkerPool(threads: 2))
    #expect(outcome.count >= 5)
    for prompt in outcome {
      #expect(prompt.agreeing == 3)
      #expect(prompt.largestDifference < 0.005)
    }
  }
}

/// Where the weights are, and what llama.cpp makes of them.
enum SmolLM2 {
  static let path: String? = {
    let named = ProcessInfo.processInfo.environment["RIDGELINE_SMOLLM2"]
    let fetched = Repository.folder + "/out/host/SmolLM2-135M-Instruct.Q4_1.gguf"
    return [named, fetched].compactMap { $0 }.first(where: FileManager.default.fileExists)
  }()

  static func loaded() throws -> (model: EngineModel, tokenizer: Tokenizer) {
    try EngineModel.gguf(path: path ?? "")
  }

  static func reference() throws -> TokenReference {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().path
    return try TokenReference.read(path: folder + "/SmolLM2Tokens.json")
  }
}
