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
  package func predictions(_ rows: [PreparedRun], override: Constants = Constants()) -> [MetricValues] {
    var predictors: [Int: Predictor] = [:]
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
      return Self.predict(row.run, predictor)
    }
  }

  /// Logarithms of predicted over measured, for each metric that a row has, row by row.
  func logRatios(_ rows: [PreparedRun], metrics: [Metric], override: Constants) -> [Double] {
    zip(rows, predictions(rows, override: override)).flatMap { row, predicted in
      metrics.compactMap { metric in
        row.run.measured[metric].map { log((predicted[metric] ?? .nan) / $0) }
      }
    }
  }

  private static func predict(_ run: MeasuredRun, _ predictor: Predictor) -> MetricValues {
    switch run.load {
    case .staticBatch:
      guard let prediction = try? predictor.predict(run.batch, overflow: .waves) else { return MetricValues() }
      let ranks = predictor.deployment.parallelism.devices
      let packages = Double(ranks) / Double(predictor.deployment.platform.dies)
      return MetricValues(
        endToEnd: prediction.endToEnd.value, firstToken: prediction.ttft.value, perToken: prediction.tpot?.value,
        power: prediction.power.value / packages)
    case .closedLoop:
      guard let prediction = try? predictor.predictClosedLoop(run.batch) else { return MetricValues() }
      return MetricValues(perToken: prediction.value)
    }
  }
}
