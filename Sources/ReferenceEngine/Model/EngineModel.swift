import Documents
import Foundation
import ModelGraph
import Quantities

/// A model ready to run: its shape and its packed weights.
package final class EngineModel {
  package let shape: EngineShape
  let tokens: PackedMatrix
  /// The token table again, where head and table are one.
  let head: PackedMatrix
  let finalNorm: FloatBuffer
  let layers: [LayerWeights]

  /// Formats of weights; where one is absent, the file's own is kept.
  package struct FormatChoice: Sendable {
    package var projections: WeightFormat?
    package var tables: WeightFormat?

    package init(projections: WeightFormat? = nil, tables: WeightFormat? = nil) {
      self.projections = projections
      self.tables = tables
    }
  }

  /// Weights beyond this share of the machine's memory are refused.
  private static let largestShare = 0.9

  init(_ shape: EngineShape, _ source: any WeightSource, _ formats: FormatChoice, file: String) throws {
    try Self.checkSize(shape, formats, file: file)
    let loader = WeightLoader(
      shape: shape, source: source, format: formats.projections, tableFormat: formats.tables)
    self.shape = shape
    tokens = try loader.table(.tokens)
    head = shape.model.embedding.tied ? tokens : try loader.table(.head)
    finalNorm = try source.vector(.finalNorm, count: shape.hidden)
    layers = try (0..<shape.layers).map(loader.layer)
  }

  private static func checkSize(_ shape: EngineShape, _ formats: FormatChoice, file: String) throws {
    let format = formats.projections?.numbers ?? .int4
    let size = format.size(of: Double(shape.model.parameterCount))
    let memory = Bytes(AlignedMemory.physical)
    guard size <= memory * largestShare else {
      throw DataError(
        file: file,
        problem: "needs \(size) for its \(shape.model.parameterCount) parameters, and this machine has \(memory)")
    }
  }

  /// What all weights take in memory.
  package var size: Bytes {
    let matrices = [tokens] + (head === tokens ? [] : [head]) + layers.flatMap(\.matrices)
    let norms = Double(4 * shape.hidden * (2 * shape.layers + 1))
    return matrices.reduce(Bytes(norms)) { $0 + $1.size }
  }

  /// The formats it runs in, as a plan states them. Projections are taken to be alike.
  package var formats: Formats {
    let projections = layers.first?.queryKeyValue.format ?? .f32
    return Formats(
      weights: projections.numbers, activations: projections.activations, kv: .fp32, stream: .fp32,
      tables: head.format.numbers)
  }

  // MARK: Where it comes from

  /// A GGUF file, with its tokeniser.
  package static func gguf(
    path: String, formats: FormatChoice = FormatChoice()
  ) throws -> (model: EngineModel, tokenizer: Tokenizer) {
    let file = try GGUFFile(path: path)
    let shape = try GGUFConfiguration(file).shape()
    let source = GGUFWeights(file: file, headWidth: shape.attention.headWidth)
    return (try EngineModel(shape, source, formats, file: path), try Tokenizer(file))
  }

  /// A folder with `config.json` and safetensors files.
  package static func checkpoint(folder: String, formats: FormatChoice = FormatChoice()) throws -> EngineModel {
    let shape = try shape(configuration: folder + "/config.json")
    return try EngineModel(shape, SafetensorsWeights(folder: folder), formats, file: folder)
  }

  /// Random weights for any Llama-like `config.json`.
  package static func random(
    configuration path: String, seed: UInt64 = 1, formats: FormatChoice = FormatChoice()
  ) throws -> EngineModel {
    try EngineModel(shape(configuration: path), RandomWeights(seed: seed), formats, file: path)
  }

  /// Random weights for a configuration that is no file.
  package static func random(
    configuration node: Node, name: String, seed: UInt64 = 1, formats: FormatChoice = FormatChoice()
  ) throws -> EngineModel {
    try EngineModel(shape(configuration: node, name: name), RandomWeights(seed: seed), formats, file: node.file)
  }

  private static func shape(configuration path: String) throws -> EngineShape {
    let name = ((path as NSString).deletingLastPathComponent as NSString).lastPathComponent
    return try shape(configuration: JSONDocument.read(path: path), name: name)
  }

  private static func shape(configuration node: Node, name: String) throws -> EngineShape {
    let model = try ModelReader.model(from: node, name: name)
    let fields = try node.object()
    return try EngineShape(
      model, rotary: RotaryEmbedding.read(fields),
      epsilon: fields.optionalDouble("rms_norm_eps", in: 1e-12...0.1) ?? 1e-6, file: node.file)
  }
}
