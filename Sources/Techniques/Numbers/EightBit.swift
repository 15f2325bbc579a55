import Documents
import ModelGraph
import Quantities

/// 8-bit weights and inputs (T2).
package struct EightBit: Technique {
  package static let description = ChoiceDescription(
    "w8a8", "8-bit weights and inputs",
    source: "Kurtic et al., \"Give Me BF16 or Give Me Death\", arXiv:2411.02355",
    [.choice("format", "8-bit integers or floats", ["int8", "fp8"], standard: "int8")]
      + WeightsAndActivations.inputParameters)
  package static let decides = [Aspect.weightFormat, .inputFormat]
  package static let quality = """
    W8A8-FP8 is lossless within the noise, W8A8-INT8 loses 1 to 3 % when tuned ("Give Me BF16 or Give Me Death", \
    arXiv:2411.02355)
    """

  private let format: NumberFormat
  private let passes: InputPasses

  package init(_ values: ChoiceValues) {
    format = NumberFormat(rawValue: values.text("format")) ?? .int8
    passes = InputPasses(values)
  }

  package func apply(to design: inout Design) {
    design.plan.formats.weights = format
    design.plan.formats.experts = format
    design.plan.formats.activations = format
    design.plan.formats.expertActivations = format
    passes.apply(to: &design.plan.formats.details)
  }
}
