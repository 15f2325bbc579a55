import Documents

/// Shorter or longer answers (T20).
package struct AnswerLength: Technique {
  package static let description = ChoiceDescription(
    "output-length", "answers of another length",
    source: "Yi et al., ShorterBetter, arXiv:2504.21370",
    [.required("factor", "tokens of an answer over those before", 0.001...1000)])
  package static let decides = [Aspect.outputLength]
  package static let quality = "50 to 80 % shorter thoughts at equal accuracy after training (arXiv:2504.21370)"
  package static let measureFirst: String? = "the distribution of answer lengths"

  private let factor: Double

  package init(_ values: ChoiceValues) { factor = values["factor"] }

  package func apply(to design: inout Design) { design.workload.outputFactor = factor }
}
