import Documents
import ModelGraph

/// Long prompts pass the widest operators in slices, so that fewer activations are alive (T6's memory side, C6).
package struct SlicedActivations: Technique {
  package static let description = ChoiceDescription(
    "sliced-activations", "the widest activations of a prompt are alive for a slice of its tokens at a time",
    source: "Zhao et al., AutoChunk, arXiv:2401.10652; MOM, arXiv:2504.12526; "
      + "Qwen2.5-1M, arXiv:2501.15383: 1 - 32768/1e6 = 96.7 % less",
    [.requiredWhole("tokens", "tokens of a slice", 1...100_000_000, unit: "tokens")])
  package static let decides = [Aspect.activationMemory]
  package static let quality = "exact: the same results in another order"

  private let slice: Int

  package init(_ values: ChoiceValues) { slice = values.int("tokens") }

  package func apply(to design: inout Design) { design.plan.activationSlice = slice }
}
