import Documents
import ModelGraph

/// Dense networks cut or widened into experts (T13).
package struct ExpertConversion: Technique {
  package static let description = ChoiceDescription(
    "to-experts", "dense feed-forward networks become experts of which each token visits a few",
    source:
      "Cai et al., Read-ME, arXiv:2410.19123; Pei et al., CMoE, arXiv:2502.04416; Pan et al., DS-MoE, arXiv:2404.05567",
    [
      .requiredWhole("experts", "experts in each layer", 1...65_536, unit: "experts"),
      .requiredWhole("active", "experts a token visits", 1...1024, unit: "experts"),
      .requiredWhole("width", "intermediate width of an expert", 1...1_000_000, unit: "elements"),
      .whole(
        "shared", "intermediate width of what every token visits besides", 0...1_000_000, standard: 0,
        unit: "elements"),
    ])
  package static let decides = [Aspect.layerShapes, .experts]
  package static let quality = "needs further training; CMoE stays usable with 5 minutes of it (arXiv:2502.04416)"

  private let experts: Int
  private let active: Int
  private let width: Int
  private let shared: Int

  package init(_ values: ChoiceValues) throws(TechniqueError) {
    experts = values.int("experts")
    active = values.int("active")
    width = values.int("width")
    shared = values.int("shared")
    guard active <= experts else { throw Self.error("active=\(active) is more than the \(experts) experts") }
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    var changed = 0
    design.model.changeLayers { _, layer in
      guard case .dense(let dense)? = layer.feedForward else { return }
      changed += 1
      layer.feedForward = .mixture(
        MixtureOfExperts(
          experts: experts, expertsPerToken: active, expertWidth: width, gated: dense.gated,
          shared: shared > 0 ? DenseFeedForward(width: shared, gated: dense.gated) : nil))
    }
    guard changed > 0 else { throw Self.inapplicable(to: design.model, "it has no dense feed-forward networks") }
  }
}
