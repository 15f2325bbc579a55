import CostModels
import Execution
import Foundation
import Statistics

/// Fits constants of a device under a runtime to measured rows.
package struct StepFit: Sendable {
  package var constants = FittedConstant.step
  /// A constant of which a few values are tried.
  package var choice: (key: ConstantKey, values: [Double])?
  /// Metrics compared; a row counts once for each it has.
  package var metrics: [Metric] = [.endToEnd, .firstToken, .perToken]
  /// Several, so that a fit does not hang on where it begins.
  package var starts = 3
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
  ///
  /// A limit between two regimes moves no prediction until it passes a row, so it cannot be fitted by slopes: its few
  /// choices are tried one by one.
  /// - Parameter base: Constants of a deployment before the fit; those fitted win over them.
  /// - Throws: ``FitError`` when rows are too few.
  package func fit(
    _ rows: [PreparedRun], of set: PreparedRuns, base: (Deployment) throws -> Constants
  ) throws -> Outcome {
    guard let choice else { return try fit(rows, of: set, base: base, given: Constants()).outcome }
    var best: (outcome: Outcome, cost: Double)?
    for value in choice.values {
      var given = Constants()
      given[choice.key] = value
      let trial = try fit(rows, of: set, base: base, given: given)
      if trial.cost < best?.cost ?? .infinity { best = trial }
    }
    guard let best else { throw FitError.noParameters }
    return best.outcome
  }

  private func fit(
    _ rows: [PreparedRun], of set: PreparedRuns, base: (Deployment) throws -> Constants, given: Constants
  ) throws -> (outcome: Outcome, cost: Double) {
    let moved = constants.filter { isDetermined($0, by: rows, of: set) }
    let pricer = try RunPricer(set, rows: rows, base: base)
    var fit = RobustFit(parameters: moved.map(\.parameter), loss: .softL1(scale: lossScale))
    fit.starts = starts
    fit.differenceStep = 0.01
    fit.tolerance = 1e-5
    fit.maxIterations = 30
    let solution = try fit.solve { values in
      let trial = Self.constants(moved, values, given)
      return pricer.logRatios(rows, metrics: metrics, override: trial)
        + zip(moved, values).map { lossScale * $0.surprise($1) }
    }
    let rounded = solution.values.map(Self.rounded)
    let outcome = Outcome(
      constants: Self.constants(moved, rounded, given),
      errors: zip(moved, solution.standardErrors).map { ($0.key, $1) }, evaluations: solution.evaluations)
    return (outcome, solution.cost)
  }

  /// Rows on one device say nothing about messages between devices.
  private func isDetermined(_ constant: FittedConstant, by rows: [PreparedRun], of set: PreparedRuns) -> Bool {
    switch constant.key {
    case .collectiveLink, .collectiveOneShotStart, .collectiveTwoShotStart, .collectiveHop:
      rows.contains { set.deployments[$0.slot].parallelism.devices > 1 }
    default: true
    }
  }

  private static func constants(_ moved: [FittedConstant], _ values: [Double], _ given: Constants) -> Constants {
    var constants = given
    for (constant, value) in zip(moved, values) { constant.set(value, in: &constants) }
    return constants
  }

  /// As a file will hold it, so that the errors stated are those of the file.
  private static func rounded(_ value: Double) -> Double {
    Double(CalibrationText.number(value)) ?? value
  }
}
