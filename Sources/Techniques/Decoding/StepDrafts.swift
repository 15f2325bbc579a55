import Documents

/// A small model writes whole steps of a thought, which the model scores (T18).
package struct StepDrafts: Technique {
  package static let description = ChoiceDescription(
    "step-speculation", "a small model writes steps of a thought; the model scores each and rewrites those it refuses",
    source: "Pan et al., SpecReason, arXiv:2504.07891",
    [
      .text("model", "the small model, by name"),
      .required("accepted", "share of steps that are kept", 0...1),
      .whole("tokens", "tokens of a step", 1...100_000, standard: 30, unit: "tokens"),
      .whole(
        "scoring", "tokens of the question with which a step is scored", 0...100_000, standard: 70, unit: "tokens"),
    ])
  package static let decides = [Aspect.reasoningSteps]
  package static let quality = "accuracy as the base model's or better at a threshold of 7 of 9 (arXiv:2504.07891)"
  package static let measureFirst: String? = "the share of steps that are kept, and how much shorter small models write"

  private let speculation: StepSpeculation

  package init(_ values: ChoiceValues) {
    speculation = StepSpeculation(
      model: values.text("model"), accepted: values["accepted"], tokensPerStep: values.int("tokens"),
      scoringTokens: values.int("scoring"))
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    try DraftAcceptance.check(design, Self.self)
    design.reasoning = speculation
  }
}
