import Documents
import ModelGraph

/// Full attention every few tokens, and in between only to the tokens it chose (T7).
package struct RecycledAttention: Technique {
  package static let description = ChoiceDescription(
    "kv-recycle", "every few steps all tokens are read; the others read what that step chose",
    source: "Xu et al., Recycled Attention, arXiv:2411.05787: n/S + K (1 - 1/S) tokens a step",
    [
      .requiredWhole("tokens", "tokens read between", 1...100_000_000, unit: "tokens"),
      .requiredWhole("stride", "steps from one full read to the next", 1...10_000, unit: "steps"),
    ])
  package static let decides = [Aspect.cacheTokens]
  package static let quality = "recovers most of what local windows lose on RULER (arXiv:2411.05787)"
  package static let measureFirst: String? = "how many tokens and which stride answers can bear"

  private let attended: [ContextPart]

  package init(_ values: ChoiceValues) {
    let full = 1 / values["stride"]
    attended = [ContextPart(share: full), ContextPart(window: values.int("tokens"), share: 1 - full)]
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    guard design.model.changeCaches({ $2.attended = attended }) > 0 else {
      throw Self.inapplicable(to: design.model, "no layer attends to its whole context")
    }
  }
}
