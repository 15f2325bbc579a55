import Documents
import ModelGraph

/// Whole blocks of weights are left out (T15).
package struct BlockSparsity: Technique {
  package static let description = ChoiceDescription(
    "block-sparse", "whole blocks of the weights are left out",
    source: "Okanovic et al., BLaST, arXiv:2507.03117; Shen et al., sparse CPU engine, arXiv:2306.16601",
    [
      .required("density", "share of blocks that stay", 0.001...1),
      .whole("block", "weights in a block", 1...1_000_000, standard: 1024, unit: "weights"),
      ChoiceParameter(
        "efficiency", "rate of the sparse kernel over the dense one's, for the work left", 0.01...1,
        standard: 1),
      .choice(
        "scope", "feed-forward networks, or all projections", SparsityScope.allCases.map(\.rawValue),
        standard: "ffn"),
    ])
  package static let decides = [Aspect.weightsKept]
  package static let quality = "needs training with the blocks; 95 % sparse networks then stay close (BLaST)"
  package static let measureFirst: String? = "the sparse kernel's rate at this density"

  private let sparsity: WeightSparsity

  package init(_ values: ChoiceValues) {
    // One 32-bit index a block.
    sparsity = WeightSparsity(
      density: values["density"], indexBits: 32 / values["block"],
      computeShare: values["density"] / values["efficiency"],
      scope: SparsityScope(rawValue: values.text("scope")) ?? .feedForward)
  }

  package func apply(to design: inout Design) { design.plan.weightSparsity = sparsity }
}
