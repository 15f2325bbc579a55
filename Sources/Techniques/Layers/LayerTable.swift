import Documents
import ModelGraph

/// Layers of unlike shape, as architecture searches make them (T11).
package struct LayerTable: Technique {
  package static let description = ChoiceDescription(
    "layer-table", "KV heads and feed-forward width of each layer, from a table",
    source: "Bercovich et al., Puzzle, arXiv:2411.19146",
    [.text("table", "runs as count*kv_heads/ffn_width separated by spaces; 0 for a part that is left out")])
  package static let decides = [Aspect.layerShapes]
  package static let quality = "98.4 % of the parent's score after distillation (Puzzle, arXiv:2411.19146)"

  private let rows: [(count: Int, heads: Int, width: Int)]

  package init(_ values: ChoiceValues) throws(TechniqueError) {
    var rows: [(count: Int, heads: Int, width: Int)] = []
    for item in values.text("table").split(separator: " ") {
      let numbers = item.split { $0 == "*" || $0 == "/" }.map { Int($0) ?? -1 }
      guard numbers.count == 3, numbers.allSatisfy({ (0...10_000_000).contains($0) }), numbers[0] > 0 else {
        throw Self.error("found '\(item)', expected count*kv_heads/ffn_width such as 20*8/28672")
      }
      rows.append((numbers[0], numbers[1], numbers[2]))
    }
    self.rows = rows
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    guard let (layer, attention, network) = pattern(design.model) else {
      throw Self.inapplicable(to: design.model, "its layers are not attention with a dense network")
    }
    var layers: [Layer] = []
    for row in rows {
      guard row.heads == 0 || attention.queryHeads % row.heads == 0 else {
        throw Self.error("\(row.heads) KV heads do not divide the \(attention.queryHeads) query heads")
      }
      var own = layer
      var mixer = attention
      mixer.kvHeads = row.heads
      own.mixers = row.heads > 0 ? [.attention(mixer)] : []
      var dense = network
      dense.width = row.width
      own.feedForward = row.width > 0 ? .dense(dense) : nil
      own.normCount = (row.heads > 0 ? 1 : 0) + (row.width > 0 ? 1 : 0)
      layers += Array(repeating: own, count: row.count)
    }
    design.model.decoder = Stack(layers: layers, finalNorm: design.model.decoder.finalNorm)
  }

  private func pattern(_ model: Model) -> (Layer, Attention, DenseFeedForward)? {
    guard let layer = model.decoder.runs.first?.layer, case .attention(let attention)? = layer.mixers.first,
      case .dense(let dense)? = layer.feedForward
    else { return nil }
    return (layer, attention, dense)
  }
}
