import Documents
import ModelGraph

/// Unequal loads of experts (T13).
package struct ExpertSkew: Technique {
  package static let description = ChoiceDescription(
    "expert-skew", "loads of experts follow a power law: fewer distinct ones, one device busiest",
    source: "skew of public fused-MoE measurements, exponent 1.2 (ai-dynamo/aiconfigurator)",
    [.required("exponent", "exponent of the power law", ExpertRouting.exponents)])
  package static let decides = [Aspect.experts]
  package static let quality = "none: the router decides it"
  package static let measureFirst: String? = "the router's loads on the traffic to be served"

  private let exponent: Double

  package init(_ values: ChoiceValues) { exponent = values["exponent"] }

  package func apply(to design: inout Design) throws(TechniqueError) {
    guard design.model.expertCount != nil else { throw Self.inapplicable(to: design.model, "it has no experts") }
    design.plan.routing = .powerLaw(exponent)
  }
}
