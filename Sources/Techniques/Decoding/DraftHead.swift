import Documents

/// A few layers of the model's own shape draft a chain or a tree (T17).
package struct DraftHead: Technique {
  package static let description = ChoiceDescription(
    "draft-head", "a layer of the model's own shape drafts a chain or a tree",
    source: "Li et al., EAGLE-3, arXiv:2503.01840",
    [
      .requiredWhole("depth", "passes of the draft in a cycle", 1...64, unit: "passes"),
      .whole("width", "tokens in each pass after the first", 1...1024, standard: 1, unit: "tokens"),
      .whole(
        "verified", "drafted tokens the model verifies; 0 for as many as the depth", 0...4096, standard: 0,
        unit: "tokens"),
      .whole("layers", "layers of the draft", 1...100, standard: 1, unit: "layers"),
      .whole("vocabulary", "words the draft chooses from; 0 for all", 0...10_000_000, standard: 0, unit: "words"),
    ] + DraftAcceptance.parameters)
  package static let decides = [Aspect.drafting]
  package static let quality = "exact: the distribution of answers does not change (EAGLE, arXiv:2401.15077)"
  package static let measureFirst: String? = "tokens a cycle yields on the traffic to be served"

  private let drafting: Drafting

  package init(_ values: ChoiceValues) throws(TechniqueError) {
    let depth = values.int("depth")
    let verified = values.int("verified") > 0 ? values.int("verified") : depth
    guard verified >= depth else {
      throw Self.error("verified=\(verified) is less than the depth of \(depth): a tree has a node at each depth")
    }
    drafting = Drafting(
      source: .head(layers: values.int("layers"), vocabulary: values.int("vocabulary")), depth: depth,
      width: values.int("width"), verified: verified,
      tokensPerCycle: try DraftAcceptance.tokens(values, depth: depth, verified: verified, of: Self.name))
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    try DraftAcceptance.check(design, Self.self)
    design.drafting = drafting
  }
}
