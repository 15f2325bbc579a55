import Quantities

/// How values lie in memory where no ``NumberFormat`` says it: bits with scales, zeros and codes, and what turning
/// them into numbers costs.
package struct StoredFormat: Sendable, Hashable {
  /// What tables call it, for example `int4-g128`.
  package var name: String
  /// Bits a value takes, its share of scales, zeros and codebooks included.
  package var bits: Double
  /// Operations on vector units to expand one value, beside the multiplication.
  package var expansion: Double
  /// Whether a kernel of its own writes expanded values to memory before they are multiplied.
  package var expandsFirst: Bool

  package init(_ name: String, bits: Double, expansion: Double = 0, expandsFirst: Bool = false) {
    self.name = name
    self.bits = bits
    self.expansion = expansion
    self.expandsFirst = expandsFirst
  }

  package init(_ format: NumberFormat) { self.init(format.rawValue, bits: format.bits) }

  /// What so many values take in memory.
  package func size(of elements: Double) -> Bytes { Bytes(elements * bits / 8) }
}

/// What a plan does with numbers beyond one format a role.
package struct FormatDetails: Sendable, Hashable {
  /// How tensors lie in memory; nothing where the role's number format says it.
  package var weights: StoredFormat?
  package var experts: StoredFormat?
  package var head: StoredFormat?
  package var kv: StoredFormat?
  package var attention: AttentionArithmetic?
  package var planes: BitPlanes?
  /// Whether a pass of its own quantises what enters each projection, and whether it is rotated before.
  package var quantizesInputs = false
  package var rotatesInputs = false
  /// Factor on the inner dimension of projections, where outliers are spread over further channels.
  package var innerGrowth = 1.0

  package init() {}
}

/// The formats in which attention multiplies: queries with keys, and weights with values.
package struct AttentionArithmetic: Sendable, Hashable {
  /// One of the two products. The accumulator is the frameworks' choice when nothing is said.
  package struct Product: Sendable, Hashable {
    package var input: NumberFormat
    package var accumulator: NumberFormat?

    package init(_ input: NumberFormat, accumulator: NumberFormat? = nil) {
      self.input = input
      self.accumulator = accumulator
    }
  }

  package var scores: Product
  package var values: Product

  package init(scores: Product, values: Product) {
    self.scores = scores
    self.values = values
  }
}

/// Products of integers taken apart into binary ones: a bit of the weights with a bit of the activations.
package struct BitPlanes: Sendable, Hashable {
  package var weights: Int
  package var activations: Int

  package init(weights: Int, activations: Int) {
    self.weights = weights
    self.activations = activations
  }

  package var count: Int { weights * activations }
}
