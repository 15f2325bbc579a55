import Documents
import ModelGraph
import Quantities

/// Some layers in 4-bit weights and inputs, the others in 8-bit (T2's per-layer share).
package struct MixedPrecision: Technique {
  package static let description = ChoiceDescription(
    "mixed-precision", "a share of the layers multiplies in 4 bits, the rest in 8",
    source: "Zhang et al., FlattenQuant, arXiv:2402.17985: 48.29 % of products in INT4, the rest in INT8",
    [
      .required("narrow", "share of layers in 4 bits", 0...1),
      .choice("formats", "integers or floats", ["int", "fp"], standard: "int"),
    ] + WeightsAndActivations.inputParameters)
  package static let decides = [Aspect.weightFormat, .inputFormat]
  package static let quality = "perplexity close to FP16 where outliers are flattened (FlattenQuant, arXiv:2402.17985)"
  package static let measureFirst: String? = "which layers keep their accuracy in 4 bits"

  private let share: Double
  private let narrow: NumberFormat
  private let wide: NumberFormat
  private let passes: InputPasses

  package init(_ values: ChoiceValues) {
    share = values["narrow"]
    (narrow, wide) = values.text("formats") == "fp" ? (.fp4, .fp8) : (.int4, .int8)
    passes = InputPasses(values)
  }

  package func apply(to design: inout Design) {
    passes.apply(to: &design.plan.formats.details)
    let stream = design.plan.formats
    func formats(_ format: NumberFormat) -> Formats {
      var formats = stream
      (formats.weights, formats.experts) = (format, format)
      (formats.activations, formats.expertActivations) = (format, format)
      return formats
    }
    design.plan.formats = formats(wide)
    let count = Int((share * Double(design.model.decoder.layerCount)).rounded())
    let own = formats(narrow)
    design.model.changeLayers { index, layer in if index < count { layer.formats = own } }
  }
}
