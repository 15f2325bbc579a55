import Documents
import ModelGraph
import Quantities

/// Attention replaced by a mixer with a state of constant size (T12).
package struct RecurrentLayers: Technique {
  package static let description = ChoiceDescription(
    "recurrent", "attention layers become recurrent ones with a state of constant size",
    source: "Beck et al., xLSTM 7B, arXiv:2503.13427; Paliotta et al., Thinking Slow, Fast, arXiv:2502.20339",
    [
      ChoiceParameter("layers", "share of the attention layers that are replaced", 0...1, standard: 1),
      .requiredWhole("heads", "heads of the state", 1...100_000),
      .requiredWhole("keys", "width of a head's keys", 1...65_536, unit: "elements"),
      .requiredWhole("values", "width of a head's values", 1...65_536, unit: "elements"),
      .choice("state", "format of the state", ["fp32", "bf16"], standard: "fp32"),
      .whole("chunk", "tokens of a prompt handled at once", 1...65_536, standard: 64, unit: "tokens"),
    ])
  package static let decides = [Aspect.layerShapes, .cacheElements]
  package static let quality = "distilled Mamba models trail their teacher at equal samples (arXiv:2502.20339)"

  private let share: Double
  private let heads: Int
  private let keys: Int
  private let values: Int
  private let format: NumberFormat
  private let chunk: Int

  package init(_ values: ChoiceValues) {
    share = values["layers"]
    heads = values.int("heads")
    keys = values.int("keys")
    self.values = values.int("values")
    format = NumberFormat(rawValue: values.text("state")) ?? .fp32
    chunk = values.int("chunk")
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    let mixer = recurrent(hidden: design.model.hidden)
    let count = design.model.fullAttentionLayers
    guard count > 0 else { throw Self.inapplicable(to: design.model, "it has no attention layers to replace") }
    var place = 0
    design.model.changeLayers { _, layer in
      for index in layer.mixers.indices {
        guard case .attention = layer.mixers[index] else { continue }
        let before = Int(share * Double(place))
        place += 1
        if Int(share * Double(place)) > before { layer.mixers[index] = .recurrent(mixer) }
      }
    }
  }

  /// Keys, values, gates and output as mLSTM and Mamba-2 have them.
  private func recurrent(hidden: Int) -> Recurrent {
    let state = heads * keys * values
    return Recurrent(
      kind: .mlstm,
      projections: [
        Projection(name: "qkv_proj", inputs: hidden, outputs: heads * (2 * keys + values)),
        Projection(name: "out_proj", inputs: heads * values, outputs: hidden),
      ],
      stateElements: state, scanFLOPsPerToken: 5 * state, extraParameters: 0, heads: heads, chunk: chunk,
      stateFormat: format)
  }
}
