import Documents
import ModelGraph
import Quantities

/// Projections that multiply in narrow formats, weights and inputs alike or unlike (T2).
package struct WeightsAndActivations: Technique {
  package static let description = ChoiceDescription(
    "weight-activation", "narrow weights and inputs: fewer bytes, and the narrow format's peak",
    source: "Zhang et al., QQQ, arXiv:2406.09904 (W4A8); Xiao et al., SmoothQuant, arXiv:2211.10438 (W8A8)",
    [
      .required("bits", "bits of a weight", 1...8, unit: "bits"),
      .choice("inputs", "format in which projections multiply", ["int8", "fp8", "int4", "fp4"], standard: "int8"),
      .whole("group", "weights that share a scale; 0 for a whole column", 0...1_000_000, standard: 0, unit: "weights"),
      ChoiceParameter("scale", "bits of a scale", 0...32, standard: 16, unit: "bits"),
      ChoiceParameter("expand", "vector operations that widen one weight", 0...1000, standard: 0, unit: "operations"),
    ] + inputParameters)
  package static let decides = [Aspect.weightFormat, .inputFormat]
  package static let quality = """
    W4A8 loses 0.1 to 0.3 perplexity (QQQ, arXiv:2406.09904); W4A4 needs rotations or mixed precision to stay usable
    """

  static let inputParameters: [ChoiceParameter] = [
    .choice("quantize", "whether a pass of its own narrows the inputs", ["dynamic", "static"], standard: "dynamic"),
    .choice("rotation", "whether inputs are rotated before", ["no", "yes"], standard: "no"),
    ChoiceParameter(
      "growth", "factor on the inner dimension where outliers are spread over further channels", 1...4, standard: 1),
  ]

  private let stored: StoredFormat
  private let inputs: NumberFormat
  private let passes: InputPasses

  package init(_ values: ChoiceValues) {
    let group = values.int("group")
    let shared = group > 0 ? values["scale"] / Double(group) : 0
    let width = ChoiceValue.number(values["bits"])
    stored = StoredFormat(
      group > 0 ? "int\(width)-g\(group)" : "int\(width)", bits: values["bits"] + shared, expansion: values["expand"])
    inputs = NumberFormat(rawValue: values.text("inputs")) ?? .int8
    passes = InputPasses(values)
  }

  package func apply(to design: inout Design) {
    design.plan.formats.activations = inputs
    design.plan.formats.expertActivations = inputs
    design.plan.formats.details.weights = stored
    design.plan.formats.details.experts = stored
    passes.apply(to: &design.plan.formats.details)
  }
}

/// What becomes of a projection's inputs before it.
struct InputPasses: Sendable {
  let quantizes: Bool
  let rotates: Bool
  let growth: Double

  init(_ values: ChoiceValues) {
    quantizes = values.text("quantize") == "dynamic"
    rotates = values.text("rotation") == "yes"
    growth = max(1, values["growth"])
  }

  func apply(to details: inout FormatDetails) {
    details.quantizesInputs = quantizes || rotates
    details.rotatesInputs = rotates
    details.innerGrowth = growth
  }
}
