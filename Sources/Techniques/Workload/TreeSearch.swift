import Documents

/// Answers grown as a tree, whose branches share what comes before them (T20).
package struct TreeSearch: Technique {
  package static let description = ChoiceDescription(
    "tree-search", "answers grown as a tree: branches share prompt and trunk",
    source: "Wu et al., Inference Scaling Laws, arXiv:2408.00724",
    [
      .requiredWhole("leaves", "answers in the end", 1...100_000),
      .required("shared", "mean share of an answer that a leaf has in common with others", 0...1),
    ])
  package static let decides = [Aspect.samples]
  package static let quality = "a 7B model with tree search beats a 34B one on MATH (arXiv:2408.00724)"
  package static let measureFirst: String? = "how much of their answers the leaves share"

  private let leaves: Int
  private let shared: Double

  package init(_ values: ChoiceValues) {
    leaves = values.int("leaves")
    shared = values["shared"]
  }

  package func apply(to design: inout Design) {
    design.workload.samples = leaves
    design.workload.sharedAnswer = shared
  }
}
