import Documents
import ModelGraph

/// Narrow weights that are expanded to the activations' format as they are multiplied (T1).
package struct WeightOnly: Technique {
  package static let description = ChoiceDescription(
    "weight-only", "weights of a few bits, expanded to the activations' format in the product",
    source: "Frantar et al., GPTQ, arXiv:2210.17323; Frantar et al., MARLIN, arXiv:2408.11743",
    [.required("bits", "bits of a weight", 1...16, unit: "bits")] + parameters)
  package static let decides = [Aspect.weightFormat]
  package static let quality = """
    3-bit and narrower weights lose accuracy, more so in small models; 4 bits in groups of 128 stay within about 1 % of \
    the score ("Give Me BF16 or Give Me Death", arXiv:2411.02355)
    """

  static let parameters: [ChoiceParameter] = [
    .whole("group", "weights that share a scale; 0 for a whole column", 0...1_000_000, standard: 128, unit: "weights"),
    ChoiceParameter("scale", "bits of a scale", 0...32, standard: 16, unit: "bits"),
    ChoiceParameter("zero", "bits of a zero point", 0...32, standard: 0, unit: "bits"),
    ChoiceParameter("codebook", "bits of code tables for each weight", 0...8, standard: 0, unit: "bits"),
    ChoiceParameter("expand", "vector operations that expand one weight", 0...1000, standard: 2, unit: "operations"),
    .choice(
      "kernel", "whether the product expands what it loads, or a pass of its own does", ["fused", "separate"],
      standard: "fused"),
    .choice("head", "whether the token table and LM head are narrow too", ["no", "yes"], standard: "no"),
  ]

  private let stored: StoredFormat
  private let includesHead: Bool

  package init(_ values: ChoiceValues) { self.init(bits: values["bits"], values) }

  init(bits: Double, _ values: ChoiceValues) {
    let group = values.int("group")
    let shared = group > 0 ? (values["scale"] + values["zero"]) / Double(group) : 0
    let width = ChoiceValue.number(bits)
    stored = StoredFormat(
      group > 0 ? "int\(width)-g\(group)" : "int\(width)", bits: bits + shared + values["codebook"],
      expansion: values["expand"], expandsFirst: values.text("kernel") == "separate")
    includesHead = values.text("head") == "yes"
  }

  package func apply(to design: inout Design) {
    design.plan.formats.details.weights = stored
    design.plan.formats.details.experts = stored
    if includesHead { design.plan.formats.details.head = stored }
  }
}
