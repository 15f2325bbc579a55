import Foundation

/// Weights that are left out for good.
package struct WeightSparsity: Sendable, Hashable {
  /// Share of the weights that stay.
  package var density: Double
  /// Bits that say where a kept weight stands.
  package var indexBits: Double
  /// Arithmetic the kernel does, as a share of the dense product's.
  package var computeShare: Double
  package var scope: SparsityScope

  package init(density: Double, indexBits: Double, computeShare: Double, scope: SparsityScope) {
    self.density = density
    self.indexBits = indexBits
    self.computeShare = computeShare
    self.scope = scope
  }
}

/// Neurons that a token does not need, and whose weights need not be read for it.
package struct ActivationSparsity: Sendable, Hashable {
  /// How the neurons that are needed differ.
  package enum Sharing: String, CaseIterable, Sendable {
    /// Each token has its own: a step reads the union.
    case token
    /// All tokens of a sequence have the same: a decode step reads the union over sequences.
    case sequence
    /// All have the same.
    case all
  }

  /// Share of neurons that one token needs.
  package var active: Double
  package var sharing: Sharing
  package var scope: SparsityScope
  /// Bytes needed over bytes fetched, where memory is read in larger pieces than a neuron's weights.
  package var granularity: Double
  /// Rank of the small network that predicts which neurons are needed; 0 where none runs.
  package var predictorRank: Int

  package init(
    active: Double, sharing: Sharing = .token, scope: SparsityScope = .feedForward, granularity: Double = 1,
    predictorRank: Int = 0
  ) {
    self.active = active
    self.sharing = sharing
    self.scope = scope
    self.granularity = granularity
    self.predictorRank = predictorRank
  }

  /// Share of neurons that at least one of so many independent tokens or sequences needs.
  package func union(of count: Int) -> Double {
    sharing == .all ? active : 1 - pow(1 - active, Double(count))
  }
}

/// Which projections are sparse.
package enum SparsityScope: String, CaseIterable, Sendable {
  case feedForward = "ffn"
  case all
}
