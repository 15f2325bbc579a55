import Documents
import ModelGraph

/// n of every m weights stay, and matrix units skip the others (T15).
package struct StructuredSparsity: Technique {
  package static let description = ChoiceDescription(
    "sparse-2-4", "two of every four weights stay; matrix units run at their sparse rate",
    source:
      "Mishra et al., Accelerating Sparse Deep Neural Networks, arXiv:2104.08378; Sparse-MARLIN, arXiv:2408.11743",
    [
      ChoiceParameter("rate", "sparse rate of the matrix units over the dense one", 1...2, standard: 2),
      .choice(
        "scope", "feed-forward networks, or all projections", SparsityScope.allCases.map(\.rawValue),
        standard: "all"),
    ])
  package static let decides = [Aspect.weightsKept]
  package static let quality =
    "needs fine-tuning: one-shot 2:4 pruning costs several points (SparseGPT, arXiv:2301.00774)"

  private let sparsity: WeightSparsity

  package init(_ values: ChoiceValues) {
    sparsity = WeightSparsity(
      density: 0.5, indexBits: 2, computeShare: 1 / values["rate"],
      scope: SparsityScope(rawValue: values.text("scope")) ?? .all)
  }

  package func apply(to design: inout Design) { design.plan.weightSparsity = sparsity }
}
