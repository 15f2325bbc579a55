import Documents
import ModelGraph
import Quantities

/// Attention that multiplies queries with keys, and weights with values, in formats of their own (T4).
package struct AttentionFormat: Technique {
  package static let description = ChoiceDescription(
    "attention-format", "narrow formats and accumulators inside attention",
    source: "Zhang et al., SageAttention, arXiv:2410.02367: 2/(1/661 + 1/330) = 440 TOP/s on RTX 4090; "
      + "SageAttention3, arXiv:2505.11594 (FP4)",
    [
      .choice("scores", "format of queries with keys", formats, standard: "int8"),
      .choice("scores_accumulator", "its accumulator", accumulators, standard: "usual"),
      .choice("values", "format of weights with values", formats, standard: "fp16"),
      .choice("values_accumulator", "its accumulator", accumulators, standard: "usual"),
    ])
  package static let decides = [Aspect.attentionFormat]
  package static let quality = "end-to-end metrics within 0.2 % of FP16 attention (SageAttention, arXiv:2410.02367)"

  private static let formats = ["bf16", "fp16", "fp8", "int8", "fp4"]
  private static let accumulators = ["usual", "fp32", "fp16"]
  private let arithmetic: AttentionArithmetic

  package init(_ values: ChoiceValues) {
    func product(_ key: String) -> AttentionArithmetic.Product {
      AttentionArithmetic.Product(
        NumberFormat(rawValue: values.text(key)) ?? .fp16,
        accumulator: NumberFormat(rawValue: values.text(key + "_accumulator")))
    }
    arithmetic = AttentionArithmetic(scores: product("scores"), values: product("values"))
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    guard design.model.hasCache else { throw Self.inapplicable(to: design.model, "it has no attention") }
    design.plan.formats.details.attention = arithmetic
  }
}
