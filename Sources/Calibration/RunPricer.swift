import CostModels
import Execution
import Foundation
import Quantities

/// Predicts measured rows under trial constants.
package struct RunPricer {
  private let set: PreparedRuns
  /// Constants before the fit, by deployment; only those that rows use.
  private var bases: [Int: Constants] = [:]

  package init(_ set: PreparedRuns, rows: [PreparedRun], base: (Deployment) throws -> Constants) throws {
    self.set = set
    for row in rows where bases[row.slot] == nil { bases[row.slot] = try base(set.deployments[row.slot]) }
  }

  /// Predictions of rows, in their order, with some constants overridden.
  ///
  /// - Parameter forFit: Whether long replays are cut short, and closed loops priced in closed form.
  package func predictions(
    _ rows: [PreparedRun], override: Constants = Constants(), forFit: Bool = false
  ) -> [MetricValues] {
    var predictors: [Int: Predictor] = [:]
    var replays = ReplayBook()
    return rows.map { row in
      let predictor: Predictor
      if let known = predictors[row.slot] {
        predictor = known
      } else {
        var constants = bases[row.slot] ?? Constants()
        constants.override(with: override)
        predictor = Predictor(set.deployments[row.slot].with(constants))
        predictors[row.slot] = predictor
      }
      let load = forFit ? row.run.load.quickened : row.run.load
      if let served = load.served { return replays.predict(row, served, predictor.deployment) }
      return Self.predict(row.run.batch, load, predictor)
    }
  }

  /// Logarithms of predicted over measured, for each metric that a row has, row by row.
  func logRatios(_ rows: [PreparedRun], metrics: [Metric], override: Constants) -> [Double] {
    zip(rows, predictions(rows, override: override, forFit: true)).flatMap { row, predicted in
      metrics.compactMap { metric in
        // Which metrics a row is predicted in does not depend on constants.
        guard let measured = row.run.measured[metric], let value = predicted[metric] else { return nil }
        return log(value / measured)
      }
    }
  }

  private static func predict(
    _ batch: BatchCase, _ load: MeasuredRun.Load, _ predictor: Predictor
  ) -> MetricValues {
    switch load {
    case .staticBatch:
      guard let prediction = try? predictor.predict(batch, overflow: .waves) else { return MetricValues() }
      let ranks = predictor.deployment.parallelism.devices
      let packages = Double(ranks) / Double(predictor.deployment.platform.dies)
      return MetricValues(
        endToEnd: prediction.endToEnd.value, firstToken: prediction.ttft.value, perToken: prediction.tpot?.value,
        power: prediction.power.value / packages)
    case .closedLoop:
      guard let prediction = try? predictor.predictClosedLoop(batch) else {
        return MetricValues()
      }
      return MetricValues(perToken: prediction.value)
    case .served: return MetricValues()
    }
  }
}
