import Documents

/// Drafts copied from the prompt or from earlier answers (T17).
package struct FreeDrafts: Technique {
  package static let description = ChoiceDescription(
    "ngram", "drafts copied from the prompt or earlier answers, which cost the devices nothing",
    source: "Saxena, Prompt Lookup Decoding, 2023; He et al., REST, arXiv:2311.08252",
    [.requiredWhole("depth", "tokens drafted in a cycle", 1...64, unit: "tokens")] + DraftAcceptance.parameters)
  package static let decides = [Aspect.drafting]
  package static let quality = "exact: the distribution of answers does not change"
  package static let measureFirst: String? = "acceptance on the traffic to be served"

  private let drafting: Drafting

  package init(_ values: ChoiceValues) throws(TechniqueError) {
    let depth = values.int("depth")
    drafting = Drafting(
      source: .free, depth: depth, verified: depth,
      tokensPerCycle: try DraftAcceptance.tokens(values, depth: depth, verified: depth, of: Self.name))
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    try DraftAcceptance.check(design, Self.self)
    design.drafting = drafting
  }
}
