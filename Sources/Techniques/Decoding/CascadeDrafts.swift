import Documents

/// A small model drafts the first tokens and free drafts the rest (T17).
package struct CascadeDrafts: Technique {
  package static let description = ChoiceDescription(
    "draft-cascade", "a small model drafts the first tokens of a chain, n-grams the rest",
    source: "Chen et al., Cascade Speculative Drafting, arXiv:2312.11462",
    [
      .text("model", "the small model, by name"),
      .requiredWhole("depth", "tokens the small model drafts", 1...64, unit: "tokens"),
      .requiredWhole("free", "tokens n-grams add", 1...64, unit: "tokens"),
      .required("tokens", "tokens a cycle yields, the model's own included", 1...128, unit: "tokens"),
      .whole("passes", "passes of the small model; 0 for one a token it drafts", 0...64, standard: 0, unit: "passes"),
    ])
  package static let decides = [Aspect.drafting]
  package static let quality = "exact: the distribution of answers does not change (arXiv:2312.11462)"
  package static let measureFirst: String? = "acceptance at each level on the traffic to be served"

  private let drafting: Drafting

  package init(_ values: ChoiceValues) throws(TechniqueError) {
    let (depth, free) = (values.int("depth"), values.int("free"))
    let most = depth + free + 1
    guard values["tokens"] <= Double(most) else {
      throw Self.error("tokens is more than \(most), all that can be drafted")
    }
    let passes = values.int("passes")
    drafting = Drafting(
      source: .model(values.text("model")), depth: passes > 0 ? passes : depth, verified: depth + free,
      tokensPerCycle: values["tokens"])
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    try DraftAcceptance.check(design, Self.self)
    design.drafting = drafting
  }
}
