import CostModels
import Execution
import Foundation
import Statistics

/// Fits constants of a device under a runtime to measured rows.
package struct StepFit: Sendable {
  package var constants = FittedConstant.step
  /// Metrics compared; a row counts once for each it has.
  package var metrics: [Metric] = [.endToEnd, .firstToken, .perToken]
  package var starts = Int(ProcessInfo.processInfo.environment["STARTS"] ?? "1")!
  /// Residuals are logarithms, so this is about the relative error beyond which a row counts as wild.
  package var lossScale = 0.1

  /// What a fit found.
  package struct Outcome: Sendable {
    package var constants: Constants
    /// Standard errors by constant; nothing where the rows do not determine it.
    package var errors: [(key: ConstantKey, error: Double?)]
    package var evaluations: Int
  }

  /// Fits the rows given.
  /// - Parameter base: Constants of a deployment before the fit; those fitted win over them.
  /// - Throws: ``FitError`` when rows are too few.
  package func fit(
    _ rows: [PreparedRun], of set: PreparedRuns, base: (Deployment) throws -> Constants
  ) throws -> Outcome {
    let moved = constants.filter { isDetermined($0, by: rows, of: set) }
    let pricer = try RunPricer(set, rows: rows, base: base)
    var fit = RobustFit(parameters: moved.map(\.parameter), loss: .softL1(scale: lossScale))
    fit.starts = starts
    fit.differenceStep = 0.01
    fit.tolerance = 1e-5
    fit.maxIterations = 30
    let solution = try fit.solve { values in
      let trial = Self.constants(moved, values)
      return pricer.logRatios(rows, metrics: metrics, override: trial)
        + zip(moved, values).map { lossScale * $0.surprise($1) }
    }
    let rounded = solution.values.map(Self.rounded)
    return Outcome(
      constants: Self.constants(moved, rounded),
      errors: zip(moved, solution.standardErrors).map { ($0.key, $1) }, evaluations: solution.evaluations)
  }

  /// Rows on one device say nothing about messages between devices.
  private func isDetermined(_ constant: FittedConstant, by rows: [PreparedRun], of set: PreparedRuns) -> Bool {
    switch constant.key {
    case .collectiveLink, .collectiveOneShotStart, .collectiveTwoShotStart, .collectiveHop:
      rows.contains { set.deployments[$0.slot].parallelism.devices > 1 }
    default: true
    }
  }

  private static func constants(_ moved: [FittedConstant], _ values: [Double]) -> Constants {
    var constants = Constants()
    for (constant, value) in zip(moved, values) { constant.set(value, in: &constants) }
    return constants
  }

  /// As a file will hold it, so that the errors stated are those of the file.
  private static func rounded(_ value: Double) -> Double {
    Double(CalibrationText.number(value)) ?? value
  }
}
