import Documents

/// Several questions in one prompt, which share instructions and examples (T20).
package struct BatchedPrompts: Technique {
  package static let description = ChoiceDescription(
    "batch-prompting", "several questions in one prompt share its instructions and examples",
    source: "Cheng et al., Batch Prompting, arXiv:2301.08721",
    [
      .requiredWhole("questions", "questions in a prompt", 1...1000),
      .requiredWhole("shared", "tokens of instructions and examples in a prompt", 0...10_000_000, unit: "tokens"),
    ])
  package static let decides = [Aspect.prompts]
  package static let quality = "better or equal for up to 6 questions with Codex (arXiv:2301.08721)"
  package static let measureFirst: String? = "how many questions a prompt can hold"

  private let questions: Int
  private let shared: Int

  package init(_ values: ChoiceValues) {
    questions = values.int("questions")
    shared = values.int("shared")
  }

  package func apply(to design: inout Design) {
    design.workload.questions = questions
    design.workload.sharedPrompt = shared
  }
}
