import Documents
import ModelGraph

/// Some heads keep all tokens, the others their last ones and a few that stand for the rest (T6, head by head).
package struct RetrievalHeads: Technique {
  package static let description = ChoiceDescription(
    "retrieval-heads", "a share of the heads keeps the whole context, the rest a window",
    source: "Tang et al., RazorAttention, arXiv:2407.15891: retrieval heads in full, others a window and one token",
    [
      .required("share", "share of heads that keep everything", 0...1),
      .requiredWhole("window", "last tokens that the other heads keep", 1...100_000_000, unit: "tokens"),
      .whole("extra", "tokens that stand for those left out, sinks included", 0...10_000, standard: 1, unit: "tokens"),
    ])
  package static let decides = [Aspect.cacheTokens]
  package static let quality = "no noticeable loss at 70 % less cache (RazorAttention, arXiv:2407.15891)"
  package static let measureFirst: String? = "which heads retrieve"

  private let parts: [ContextPart]

  package init(_ values: ChoiceValues) {
    let window = values.int("window") + values.int("extra")
    parts = [ContextPart(share: values["share"]), ContextPart(window: window, share: 1 - values["share"])]
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    let changed = design.model.changeCaches { _, _, rule in (rule.kept, rule.attended) = (parts, parts) }
    guard changed > 0 else {
      throw Self.inapplicable(to: design.model, "no layer attends to its whole context")
    }
  }
}
