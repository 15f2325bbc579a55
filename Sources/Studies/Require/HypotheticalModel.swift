import Documents
import EventKernel
import Foundation
import ModelGraph
import Quantities

/// A model that does not exist: an architecture that does, grown to another size and context.
///
/// Width and depth grow alike, by the cube root of the ratio of parameters, as published families do within a factor of
/// two; heads keep their width, KV heads and experts their number. The last layers are chosen so that the count comes out.
package enum HypotheticalModel {
  /// - Parameters:
  ///   - path: A `config.json`.
  ///   - parameters: Wanted; the result is within half a layer.
  /// - Throws: `DataError` for a configuration that has no such keys.
  package static func grown(
    _ path: String, name: String, parameters: Double?, context: Int?
  ) throws -> Model {
    var config = try JSONDocument.read(path: path)
    if let context { config = try set(config, "max_position_embeddings", context) }
    guard let parameters else { return try ModelReader.model(from: config, name: name) }
    let base = try ModelReader.model(from: config, name: name)
    let growth = PortableMath.power(parameters / Double(base.parameterCount), 1.0 / 3)
    config = try widened(config, by: growth)
    let layers = try whole(config, "num_hidden_layers")
    config = try set(config, "num_hidden_layers", max(1, Int((Double(layers) * growth).rounded())))
    // Embeddings do not grow with depth, so the count of layers is set right from what it comes to.
    for _ in 0..<3 {
      let now = try ModelReader.model(from: config, name: name)
      let layers = try whole(config, "num_hidden_layers")
      let wanted = Int((Double(layers) * parameters / Double(now.parameterCount)).rounded())
      config = try set(config, "num_hidden_layers", max(1, wanted))
    }
    return try ModelReader.model(from: config, name: name)
  }

  private static func widened(_ config: Node, by growth: Double) throws -> Node {
    let heads = try whole(config, "num_attention_heads")
    let hidden = try whole(config, "hidden_size")
    // Degrees of parallelism that divide the heads there are go on dividing them, up to 64.
    let unit = min(64, heads & -heads)
    let width = max(unit, Int((Double(heads) * growth / Double(unit)).rounded()) * unit)
    var config = try set(config, "num_attention_heads", width)
    config = try set(config, "hidden_size", hidden / heads * width)
    for key in ["intermediate_size", "moe_intermediate_size", "shared_expert_intermediate_size"] {
      guard let node = config.value(at: key), let size = try? node.int(), size > 0 else { continue }
      config = try set(config, key, max(64, Int((Double(size) * growth / 64).rounded()) * 64))
    }
    return config
  }

  private static func whole(_ config: Node, _ key: String) throws -> Int {
    guard let node = config.value(at: key) else {
      throw config.error("has no '\(key)', so it cannot be grown; take a model of the Llama, Mixtral or DeepSeek kind")
    }
    return try node.int(in: 1...1_000_000)
  }

  private static func set(_ config: Node, _ key: String, _ value: Int) throws -> Node {
    try config.setting(key, to: Node(.int(value), file: config.file, path: key))
  }
}
