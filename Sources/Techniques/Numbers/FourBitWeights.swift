import Documents
import ModelGraph

/// 4-bit weights in groups under 16-bit activations, the commonest weight-only format (T1).
package struct FourBitWeights: Technique {
  package static let description = ChoiceDescription(
    "w4a16", "4-bit weights in groups, expanded to 16 bits in the product",
    source: "Frantar et al., MARLIN, arXiv:2408.11743: 16/(4 + 16/128) = 3.88 times fewer bytes",
    WeightOnly.parameters)
  package static let decides = WeightOnly.decides
  package static let quality = """
    W4A16 with group 128 recovers 98.9 % of the score of BF16 on average ("Give Me BF16 or Give Me Death", \
    arXiv:2411.02355)
    """

  private let weights: WeightOnly

  package init(_ values: ChoiceValues) { weights = WeightOnly(bits: 4, values) }

  package func apply(to design: inout Design) { weights.apply(to: &design) }
}
