import Documents
import ModelGraph

/// Fewer experts in each layer (T13).
package struct ExpertPruning: Technique {
  package static let description = ChoiceDescription(
    "expert-prune", "each layer keeps fewer experts",
    source: "Yang et al., Faster MoE LLM Inference for Extremely Large Models, arXiv:2505.03531, section 6",
    [.requiredWhole("experts", "experts a layer keeps", 1...65_536, unit: "experts")])
  package static let decides = [Aspect.experts]
  package static let quality = "pruning loses more than skipping at equal speed (arXiv:2505.03531)"
  package static let measureFirst: String? = "which experts answers need"

  private let experts: Int

  package init(_ values: ChoiceValues) { experts = values.int("experts") }

  package func apply(to design: inout Design) throws(TechniqueError) {
    guard let count = design.model.expertCount else { throw Self.inapplicable(to: design.model, "it has no experts") }
    guard experts <= count else { throw Self.error("experts=\(experts) is more than the \(count) there are") }
    design.model.changeLayers { _, layer in
      guard var mixture = layer.mixture else { return }
      mixture.experts = experts
      mixture.expertsPerToken = min(mixture.expertsPerToken, experts)
      layer.feedForward = .mixture(mixture)
    }
  }
}
