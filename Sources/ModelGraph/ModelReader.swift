import Documents
import Quantities

/// Turns a Hugging Face `config.json` into a ``Model``.
///
/// The file is read as it was published: keys that do not change cost are passed over, missing refinements (KV heads,
/// head width, biases, tying, windows) take the default that the transformers library documents for that architecture,
/// and a missing width or count, or anything that would change cost but is not understood, is an error naming file and
/// field.
package enum ModelReader {
  /// Every family that is understood. A new one needs a file under `Families/` and an entry here.
  static let families: [ModelFamily] = [
    LlamaFamily.family, ChatGLMFamily.family, GemmaFamily.family, GPTFamily.family, OPTFamily.family,
    BloomFamily.family, FalconFamily.family, DeciLMFamily.family, MixtralFamily.family, QwenMoEFamily.family,
    GLMMoEFamily.family, ErnieMoEFamily.family, DeepSeekFamily.family, GptOssFamily.family, MiniMaxFamily.family,
    Llama4Family.family, T5Family.family, MambaFamily.family, BambaFamily.family, NemotronHFamily.family,
    JambaFamily.family, Qwen3NextFamily.family, KimiLinearFamily.family, XLSTMFamily.family,
  ]

  /// All `model_type` values that are understood, sorted.
  package static var architectures: [String] { families.flatMap { $0.types.map(\.key) }.sorted() }

  /// Reads a file.
  /// - Throws: `DataError` naming the file, the field, what was found and what was expected.
  package static func read(path: String, name: String) throws -> Model {
    try model(from: JSONDocument.read(path: path), name: name)
  }

  /// Reads a document that is already parsed.
  package static func model(from node: Node, name: String) throws -> Model {
    let fields = try node.object()
    let architecture = try architecture(fields)
    guard let family = families.first(where: { family in family.types.contains { $0.key == architecture } }) else {
      throw unknown(fields, architecture)
    }
    var model = try family.read(Configuration(fields: fields, architecture: architecture, name: name))
    model.quantization = try fields.optional("quantization_config").map(Quantization.read)
    return model
  }

  /// `model_type`, or the one that belongs to the first entry of `architectures` where it is missing.
  private static func architecture(_ fields: ObjectReader) throws -> String {
    if let type = try fields.optionalString("model_type") { return type }
    guard let published = try fields.optionalStrings("architectures").first else {
      throw fields.node.error("has neither 'model_type' nor 'architectures', so it is no model configuration")
    }
    let classes = families.flatMap { Array($0.types) }
    guard let type = classes.first(where: { $0.value == published }) else {
      throw DataError(
        file: fields.node.file, field: "architectures",
        problem: "found \(shown(published)), which is not an architecture understood here",
        nearest: nearestName(to: published, among: classes.map(\.value)))
    }
    return type.key
  }

  private static func unknown(_ fields: ObjectReader, _ architecture: String) -> DataError {
    DataError(
      file: fields.node.file, line: fields.optional("model_type")?.line, field: "model_type",
      problem: "found \(shown(architecture)), which is not an architecture understood here",
      nearest: nearestName(to: architecture, among: architectures))
  }
}

/// Architectures whose configurations are read alike.
struct ModelFamily: Sendable {
  /// `model_type` values, each with the class name published under `architectures`.
  let types: KeyValuePairs<String, String>
  let read: @Sendable (Configuration) throws -> Model
}
