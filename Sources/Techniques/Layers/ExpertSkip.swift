import Documents
import ModelGraph

/// Fewer experts for each token (T13).
package struct ExpertSkip: Technique {
  package static let description = ChoiceDescription(
    "expert-skip", "each token visits fewer experts",
    source: "Yang et al., Faster MoE LLM Inference for Extremely Large Models, arXiv:2505.03531",
    [.required("active", "experts a token visits, a mean where layers differ", 1...1024, unit: "experts")])
  package static let decides = [Aspect.experts]
  package static let quality =
    "6 to 3.3 of DeepSeek-V2-Lite's experts costs under 1 %, to 2 about 7.5 % (arXiv:2505.03531)"
  package static let measureFirst: String? = "how many experts answers need"

  private let active: Double

  package init(_ values: ChoiceValues) { active = values["active"] }

  package func apply(to design: inout Design) throws(TechniqueError) {
    let mixtures = design.model.decoder.runs.reduce(0) { $0 + ($1.layer.mixture == nil ? 0 : $1.count) }
    guard mixtures > 0 else { throw Self.inapplicable(to: design.model, "it has no experts") }
    // A mean between two whole numbers: some layers take the upper, the others the lower.
    let low = Int(active)
    let upper = Int((active - Double(low)) * Double(mixtures) + 0.5)
    var place = 0
    var most = 0
    design.model.changeLayers { _, layer in
      guard var mixture = layer.mixture else { return }
      most = mixture.expertsPerToken
      mixture.expertsPerToken = place < upper ? low + 1 : low
      place += 1
      layer.feedForward = .mixture(mixture)
    }
    guard active <= Double(most) else {
      throw Self.error("active=\(ChoiceValue.number(active)) is more than the \(most) experts that tokens visit")
    }
  }
}

extension Layer {
  var mixture: MixtureOfExperts? { if case .mixture(let mixture)? = feedForward { mixture } else { nil } }
}
