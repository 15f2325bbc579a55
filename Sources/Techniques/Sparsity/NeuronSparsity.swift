import Documents
import ModelGraph

/// Neurons that a token does not need are neither read nor computed (T14).
package struct NeuronSparsity: Technique {
  package static let description = ChoiceDescription(
    "activation-sparsity", "only the weights of active neurons are read",
    source: "Song et al., TurboSparse, arXiv:2406.05955; Wang et al., CoreInfer, arXiv:2410.18311; "
      + "Chen et al., WINA, arXiv:2505.19427",
    [
      .required("active", "share of neurons that a token needs", 0.001...1),
      .choice(
        "sharing", "whether tokens, sequences or none have neurons of their own",
        ActivationSparsity.Sharing.allCases.map(\.rawValue), standard: "token"),
      .choice(
        "scope", "feed-forward networks, or all projections", SparsityScope.allCases.map(\.rawValue),
        standard: "ffn"),
      ChoiceParameter("granularity", "bytes needed over bytes fetched", 0.01...1, standard: 1),
      .whole("predictor", "rank of the network that predicts active neurons; 0 for none", 0...65_536, standard: 0),
    ])
  package static let decides = [Aspect.weightsKept]
  package static let quality = """
    ReLU models keep their score at 90 % sparsity (TurboSparse, arXiv:2406.05955); others lose about 3 points at 65 % \
    (WINA, arXiv:2505.19427)
    """
  package static let measureFirst: String? = "the share of active neurons, alone and over a batch"

  private let sparsity: ActivationSparsity

  package init(_ values: ChoiceValues) {
    sparsity = ActivationSparsity(
      active: values["active"], sharing: ActivationSparsity.Sharing(rawValue: values.text("sharing")) ?? .token,
      scope: SparsityScope(rawValue: values.text("scope")) ?? .feedForward, granularity: values["granularity"],
      predictorRank: values.int("predictor"))
  }

  package func apply(to design: inout Design) { design.plan.activationSparsity = sparsity }
}
