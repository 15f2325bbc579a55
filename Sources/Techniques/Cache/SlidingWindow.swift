import Documents
import ModelGraph

/// Some layers see only the last tokens (T8).
package struct SlidingWindow: Technique {
  package static let description = ChoiceDescription(
    "window", "a share of the attention layers sees the last tokens only",
    source: "Jiang et al., Mistral 7B, arXiv:2310.06825; Rajput et al., MixAttention, arXiv:2409.15012",
    [
      .requiredWhole("tokens", "tokens such a layer sees, the newest included", 1...100_000_000, unit: "tokens"),
      ChoiceParameter("layers", "share of the layers", 0...1, standard: 1),
    ])
  package static let decides = [Aspect.cacheTokens]
  package static let quality = "needs training with the windows; a few full layers keep long-context recall"

  private let window: Int
  private let share: Double

  package init(_ values: ChoiceValues) {
    window = values.int("tokens")
    share = values["layers"]
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    let count = design.model.fullAttentionLayers
    guard count > 0 else { throw Self.inapplicable(to: design.model, "no layer attends to its whole context") }
    var place = 0
    design.model.changeLayers { _, layer in
      for index in layer.mixers.indices {
        guard case .attention(var attention) = layer.mixers[index], attention.window == nil else { continue }
        // Spread evenly, so that full layers lie between.
        let before = Int(share * Double(place))
        place += 1
        guard Int(share * Double(place)) > before else { continue }
        attention.window = window
        layer.mixers[index] = .attention(attention)
      }
    }
  }
}
