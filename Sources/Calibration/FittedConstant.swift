import CostModels
import Statistics

/// A constant that a fit moves, with others that follow it in proportion.
package struct FittedConstant: Sendable {
  package let key: ConstantKey
  let parameter: FitParameter
  /// Constants that are this one times a factor.
  let followers: [(key: ConstantKey, factor: Double)]

  init(
    _ key: ConstantKey, _ range: ClosedRange<Double>, start: Double,
    followers: [(key: ConstantKey, factor: Double)] = []
  ) {
    self.key = key
    self.followers = followers
    parameter = FitParameter(key.name, range, start: start, scale: .logarithmic)
  }

  /// Writes a value and what follows from it.
  func set(_ value: Double, in constants: inout Constants) {
    constants[key] = value
    for follower in followers { constants[follower.key] = value * follower.factor }
  }
}

extension FittedConstant {
  /// What static batches and served runs determine about a device under a runtime.
  ///
  /// Every constant is physical: two shares of peaks, what a step costs beside its kernels, and what a message costs.
  static let step: [FittedConstant] = [
    FittedConstant(.gemmCompute, 0.1...1, start: 0.7),
    FittedConstant(.gemmMemory, 0.2...1, start: 0.8),
    FittedConstant(.decodeAttentionMemory, 0.05...1, start: 0.7),
    FittedConstant(.stepOverhead, 1e-5...5e-2, start: 2e-3),
    FittedConstant(.stepPerSequence, 1e-7...1e-3, start: 2e-5),
    FittedConstant(
      .collectiveOneShotStart, 1e-6...3e-4, start: 1.5e-5, followers: [(.collectiveTwoShotStart, 1.4)]),
    FittedConstant(.collectiveLink, 0.03...1, start: 0.5),
  ]
}
