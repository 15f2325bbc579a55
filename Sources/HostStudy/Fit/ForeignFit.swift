import CostModels
import Execution
import Foundation
import ModelGraph
import Statistics

/// Predicts an engine that nobody here wrote: a few constants fitted to a few of its points, scored on the others.
package struct ForeignFit {
  package struct Row: Sendable {
    package let step: HostStep
    package let measured: Double
    package let predicted: Double
    package let wasFitted: Bool
  }

  package let rows: [Row]

  private static let unknowns: [(key: ConstantKey, range: ClosedRange<Double>, start: Double)] = [
    (.gemmCompute, 0.02...1.5, 0.3), (.gemmMemory, 0.05...2, 0.5), (.stepOverhead, 1e-6...1e-2, 1e-4),
    (.prefillAttentionCompute, 0.005...2, 0.3), (.decodeAttentionMemory, 0.02...2, 0.3),
  ]
  /// How far a constant is expected to lie from its start, in factors of e, where the points say nothing.
  private static let expectation = 2.0

  /// Every second point of each phase is fitted, the first and last among them.
  /// - Parameter deployment: The model on this machine; its constants are the start.
  package init(_ points: [ForeignEngine.Point], deployment: Deployment) throws {
    let marked = [true, false].flatMap { decodes in
      points.filter { $0.step.isDecode == decodes }.enumerated().map { (point: $1, isFitted: $0 % 2 == 0) }
    }
    let fitted = marked.filter(\.isFitted).map(\.point)
    var base = deployment.pricer.constants
    // Times of our kernels say nothing of theirs.
    base.kernels = nil
    var fit = RobustFit(
      parameters: Self.unknowns.map { FitParameter($0.key.name, $0.range, start: $0.start, scale: .logarithmic) },
      loss: .softL1(scale: 0.1))
    fit.starts = 3
    fit.differenceStep = 0.003
    let solution = try fit.solve { values in
      let trial = deployment.with(Self.merged(base, values))
      let misses = fitted.map { log(Self.time($0.step, trial) / $0.seconds) }
      return misses + zip(Self.unknowns, values).map { 0.02 * log($1 / $0.start) / Self.expectation }
    }
    let final = deployment.with(Self.merged(base, solution.values))
    rows = marked.map {
      Row(
        step: $0.point.step, measured: $0.point.seconds, predicted: Self.time($0.point.step, final),
        wasFitted: $0.isFitted)
    }
  }

  private static func merged(_ base: Constants, _ values: [Double]) -> Constants {
    var merged = base
    for (unknown, value) in zip(unknowns, values) { merged[unknown.key] = value }
    return merged
  }

  private static func time(_ step: HostStep, _ deployment: Deployment) -> Double {
    deployment.price(step.shape(deployment.graph.spans)).time.value
  }

  package func errors(decodes: Bool) -> HostErrors? {
    HostErrors(
      rows.filter { !$0.wasFitted && $0.step.isDecode == decodes }.map {
        HostErrors.Pair(measured: $0.measured, predicted: $0.predicted, noise: 0)
      })
  }
}
