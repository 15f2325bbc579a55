import Documents
import ModelGraph

/// Matrices made of low-rank blocks: fewer parameters and less arithmetic (T15).
package struct LowRank: Technique {
  package static let description = ChoiceDescription(
    "low-rank", "matrices made of low-rank blocks with shared factors",
    source: "Lee et al., BLAST: Block-Level Adaptive Structured Matrices, arXiv:2410.21262",
    [
      .required("share", "share of the parameters that stays", 0.001...1),
      ChoiceParameter("efficiency", "rate of the structured kernel over the dense one's", 0.01...1, standard: 1),
      .choice(
        "scope", "feed-forward networks, or all projections", SparsityScope.allCases.map(\.rawValue),
        standard: "all"),
    ])
  package static let decides = [Aspect.weightsKept]
  package static let quality =
    "Llama-7B at half its size keeps most zero-shot scores after retraining (arXiv:2410.21262)"
  package static let measureFirst: String? = "the structured kernel's rate"

  private let sparsity: WeightSparsity

  package init(_ values: ChoiceValues) {
    sparsity = WeightSparsity(
      density: values["share"], indexBits: 0, computeShare: values["share"] / values["efficiency"],
      scope: SparsityScope(rawValue: values.text("scope")) ?? .all)
  }

  package func apply(to design: inout Design) { design.plan.weightSparsity = sparsity }
}
