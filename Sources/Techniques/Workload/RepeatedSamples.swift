import Documents

/// Several answers to each prompt, which share its cache (T20).
package struct RepeatedSamples: Technique {
  package static let description = ChoiceDescription(
    "samples", "several answers to each prompt, which is prefilled and cached once",
    source: "Brown et al., Large Language Monkeys, arXiv:2407.21787",
    [.requiredWhole("count", "answers to each prompt", 1...100_000)])
  package static let decides = [Aspect.samples]
  package static let quality =
    "coverage grows with samples: 15.9 to 56 % from 1 to 250 on SWE-bench Lite (arXiv:2407.21787)"

  private let count: Int

  package init(_ values: ChoiceValues) { count = values.int("count") }

  package func apply(to design: inout Design) { design.workload.samples = count }
}
