import CostModels
import Foundation
import Statistics

/// A constant that a fit moves, with others that follow it in proportion.
package struct FittedConstant: Sendable {
  package let key: ConstantKey
  let parameter: FitParameter
  /// How far from its start, as a logarithm, it is expected to lie before any row is seen. Rows soon outweigh this; it
  /// decides only what they leave open, as where few models cannot tell two causes apart.
  let spread: Double
  /// Constants that are this one times a factor.
  let followers: [(key: ConstantKey, factor: Double)]

  init(
    _ key: ConstantKey, _ range: ClosedRange<Double>, expected: Double, spread: Double,
    followers: [(key: ConstantKey, factor: Double)] = []
  ) {
    self.key = key
    self.spread = spread
    self.followers = followers
    parameter = FitParameter(key.name, range, start: expected, scale: .logarithmic)
  }

  /// Writes a value and what follows from it.
  func set(_ value: Double, in constants: inout Constants) {
    constants[key] = value
    for follower in followers { constants[follower.key] = value * follower.factor }
  }

  /// How far a value lies from what was expected, in spreads.
  func surprise(_ value: Double) -> Double { log(value / parameter.start) / spread }
}

extension FittedConstant {
  /// What static batches and served runs determine about a device under a runtime.
  ///
  /// Every constant is physical: shares of peaks, what a step costs beside its kernels, and what a message costs.
  static let step: [FittedConstant] = [
    FittedConstant(.gemmCompute, 0.1...1, expected: 0.7, spread: 0.3),
    FittedConstant(.gemmMemory, 0.2...1, expected: 0.8, spread: 0.15),
    FittedConstant(.decodeAttentionMemory, 0.05...1, expected: 0.8, spread: 0.15),
    FittedConstant(.decodeAttentionGroup, 1e-3...1, expected: 0.2, spread: 0.7),
    FittedConstant(.stepOverhead, 1e-5...5e-2, expected: 1.5e-3, spread: 1),
    FittedConstant(.stepPerSequence, 1e-7...1e-3, expected: 2e-5, spread: 1.5),
    FittedConstant(
      .collectiveOneShotStart, 1e-6...3e-4, expected: 1.5e-5, spread: 0.7, followers: [(.collectiveTwoShotStart, 1.4)]),
    FittedConstant(
      .collectiveHop, 1e-8...1e-4, expected: 1e-6, spread: 1.5,
      followers: [(.collectiveOneShotHop, 1), (.collectiveRingHop, 1)]),
    FittedConstant(.collectiveLink, 0.03...1, expected: 0.5, spread: 0.7, followers: [(.collectiveRingLink, 1)]),
  ]

  /// What served runs of few, unlike models determine: the runtime's own time and what its messages and streams cost.
  /// Shares of compute stay those of the operator tables, since models differ more in formats and experts than runs tell.
  static let servedStep: [FittedConstant] = [
    FittedConstant(.gemmMemory, 0.2...1, expected: 0.8, spread: 0.15),
    FittedConstant(.decodeAttentionMemory, 0.05...1, expected: 0.8, spread: 0.15),
    FittedConstant(.elementwiseStart, 1e-7...1e-5, expected: 1.5e-6, spread: 0.5),
    FittedConstant(.stepOverhead, 1e-5...5e-2, expected: 6e-4, spread: 1),
    FittedConstant(.stepPerSequence, 1e-7...1e-3, expected: 5e-6, spread: 1),
    FittedConstant(
      .collectiveOneShotStart, 1e-6...3e-4, expected: 8e-6, spread: 0.5, followers: [(.collectiveTwoShotStart, 1.4)]),
  ]

  /// The same for a runtime that launches every kernel from the host, so that small steps take the host's time, and whose
  /// messages of prompts are long enough to tell the two ways of all-reduces apart.
  static let launchedStep: [FittedConstant] =
    step.filter { $0.key != .collectiveLink && $0.key != .stepPerSequence } + [
      FittedConstant(.stepPerSequence, 1e-7...1e-3, expected: 1e-5, spread: 1),
      FittedConstant(.stepWithPrompts, 1e-5...1e-1, expected: 3e-3, spread: 1.5),
      FittedConstant(.launch, 1e-6...2e-4, expected: 4e-5, spread: 0.7),
      FittedConstant(.collectiveLink, 0.03...1, expected: 0.5, spread: 0.7),
      FittedConstant(.collectiveRingLink, 0.03...1, expected: 0.5, spread: 0.7),
    ]

  /// What replays of served runs determine: the host's time by step, sequence, request and token of its prompt. Runs are
  /// few and replays long, so all that kernels decide stays the class's.
  ///
  /// Tens of sequences hardly tell a time by sequence from one by step, and hundreds will be predicted with it: it is
  /// looked for near what up to 512 sequences show on other devices, 0.4 to 3 us under vLLM V1.
  static let replayed: [FittedConstant] =
    servedStep.filter { $0.key == .stepOverhead } + [
      FittedConstant(.stepPerSequence, 1e-7...1e-3, expected: 5e-6, spread: 0.5),
      FittedConstant(.requestOverhead, 1e-5...1, expected: 2e-3, spread: 1.5),
      FittedConstant(.requestPerToken, 1e-8...1e-3, expected: 5e-6, spread: 1.5),
    ]

  /// What mean board power determines about devices of a class, whatever runs on them.
  static let power: [FittedConstant] = [
    FittedConstant(.powerStatic, 0.02...0.6, expected: 0.2, spread: 1),
    FittedConstant(.powerCompute, 0.1...2, expected: 0.9, spread: 1),
    FittedConstant(.powerMemory, 0.05...2, expected: 0.5, spread: 1),
    FittedConstant(.powerAttention, 0.01...1, expected: 0.2, spread: 2),
  ]
}
