import Documents
import ModelGraph
import Quantities

/// Products of few-bit integers taken apart into binary ones (T3).
package struct BitPlaneProducts: Technique {
  package static let description = ChoiceDescription(
    "bit-planes", "few-bit weights and inputs, multiplied bit by bit on binary tensor cores",
    source: "Zeng et al., ABQ-LLM, arXiv:2408.08554",
    [
      .requiredWhole("weights", "bits of a weight", 1...8, unit: "bits"),
      .requiredWhole("inputs", "bits of an input", 1...8, unit: "bits"),
      .whole(
        "group", "weights that share a 16-bit scale; 0 for a whole column", 0...1_000_000, standard: 0,
        unit: "weights"),
    ])
  package static let decides = [Aspect.weightFormat, .inputFormat]
  package static let quality = "W2A8 loses several points of perplexity against W4A16 (ABQ-LLM, arXiv:2408.08554)"

  private let planes: BitPlanes
  private let stored: StoredFormat

  package init(_ values: ChoiceValues) {
    planes = BitPlanes(weights: values.int("weights"), activations: values.int("inputs"))
    let group = values.int("group")
    stored = StoredFormat(
      "int\(planes.weights)", bits: Double(planes.weights) + (group > 0 ? 16 / Double(group) : 0))
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    if design.model.expertCount != nil {
      throw Self.inapplicable(to: design.model, "binary kernels for grouped experts are not modelled")
    }
    design.plan.formats.activations = .int8
    design.plan.formats.expertActivations = .int8
    design.plan.formats.details.weights = stored
    design.plan.formats.details.planes = planes
    design.plan.formats.details.quantizesInputs = true
  }
}
