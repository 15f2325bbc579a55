import Documents
import ModelGraph

/// Weights whose exponents are entropy coded: fewer bytes kept, decoded before every use (T1).
package struct EntropyCodedWeights: Technique {
  package static let description = ChoiceDescription(
    "entropy-coded", "16-bit weights with coded exponents, decoded layer by layer before they are used",
    source: "Hao et al., NeuZip, arXiv:2410.20650: sign 1 bit, exponent entropy about 2.6 bits, mantissa as kept",
    [
      ChoiceParameter("exponent", "mean bits of a coded exponent", 0...8, standard: 2.6, unit: "bits"),
      .whole("mantissa", "mantissa bits kept; 7 is lossless for BF16", 0...7, standard: 7, unit: "bits"),
      ChoiceParameter(
        "overhead", "bits of block norms and code tables for each weight", 0...4, standard: 0, unit: "bits"),
      .required("decode", "vector operations that decode one weight", 0...10_000, unit: "operations"),
    ])
  package static let decides = [Aspect.weightFormat]
  package static let quality = """
    lossless with 7 mantissa bits; perplexity rises below 3 (NeuZip, arXiv:2410.20650, table 3)
    """
  package static let measureFirst: String? = "the decoder's rate on the device"

  private let stored: StoredFormat

  package init(_ values: ChoiceValues) {
    let mantissa = values.int("mantissa")
    stored = StoredFormat(
      "coded-m\(mantissa)", bits: 1 + values["exponent"] + Double(mantissa) + values["overhead"],
      expansion: values["decode"], expandsFirst: true)
  }

  package func apply(to design: inout Design) {
    design.plan.formats.details.weights = stored
    design.plan.formats.details.experts = stored
  }
}
