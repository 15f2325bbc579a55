import EventKernel

/// A bounded nonlinear least-squares problem, solved robustly from several starts.
///
/// ```swift
/// let rate = FitParameter("rate", 0.1...10, start: 1, scale: .logarithmic)
/// let fit = try RobustFit(parameters: [rate], loss: .softL1(scale: 0.1)).solve { rows.map { $0.error(rate: $0[0]) } }
/// ```
package struct RobustFit: Sendable {
  package var parameters: [FitParameter]
  package var loss = RobustLoss.square
  /// Starts in all: the parameters' own, then random places within the bounds.
  package var starts = 1
  package var seed: UInt64 = 1
  /// Step of finite differences, as a share of the way between the bounds. Models with steps in them (waves, rounded
  /// counts) want one that is wider than the steps.
  package var differenceStep = 1e-5
  package var maxIterations = 60
  /// A start ends when a step changes every parameter by less than this share.
  package var tolerance = 1e-7

  package init(parameters: [FitParameter], loss: RobustLoss = .square) {
    self.parameters = parameters
    self.loss = loss
  }

  /// The best of all starts.
  package struct Solution: Sendable, Equatable {
    package var values: [Double]
    /// Standard error of each value from the curvature at the solution; nothing where the data does not determine it
    /// or where it lies at a bound.
    package var standardErrors: [Double?]
    /// Residuals at the solution, as the model gave them.
    package var residuals: [Double]
    /// The sum of losses.
    package var cost: Double
    /// Iterations of the start that won, and calls of the model in all.
    package var iterations: Int
    package var evaluations: Int
  }

  /// Solves the problem.
  /// - Parameter model: Residuals at given values, always as many. A value that is not finite makes a point very bad.
  /// - Throws: ``FitError`` when there is nothing to fit.
  package func solve(_ model: @escaping ([Double]) -> [Double]) throws(FitError) -> Solution {
    guard !parameters.isEmpty else { throw .noParameters }
    let first = model(parameters.map(\.start))
    guard first.count >= parameters.count else {
      throw .tooFewResiduals(found: first.count, parameters: parameters.count)
    }
    guard first.allSatisfy(\.isFinite) else { throw .notFiniteAtStart }
    let solver = TrustRegionSolver(fit: self, count: first.count, model: model)
    var best: TrustRegionSolver.Outcome?
    for place in startingPlaces() {
      guard let outcome = solver.run(from: place) else { continue }
      if outcome.cost < best?.cost ?? .infinity { best = outcome }
    }
    guard let best else { throw .notFiniteAtStart }
    return solution(best, solver)
  }

  private func startingPlaces() -> [[Double]] {
    var stream = RandomStream(seed: seed, name: "fit-starts")
    var places = [parameters.map { $0.place(of: $0.start) }]
    while places.count < starts {
      places.append(parameters.map { $0.place(of: $0.value(atShare: stream.openUniform())) })
    }
    return places
  }

  private func solution(_ best: TrustRegionSolver.Outcome, _ solver: TrustRegionSolver) -> Solution {
    let values = zip(parameters, best.place).map { $0.value(at: $1) }
    let freedom = max(1, solver.count - parameters.count)
    let errors = parameters.indices.map { index -> Double? in
      let parameter = parameters[index]
      let share = parameter.share(of: values[index])
      let error = (best.variances[index] * best.cost / Double(freedom)).squareRoot()
      let moved = error * abs(parameter.slope(at: best.place[index]))
      return share > 1e-4 && share < 1 - 1e-4 && moved.isFinite ? moved : nil
    }
    return Solution(
      values: values, standardErrors: errors, residuals: solver.model(values), cost: best.cost,
      iterations: best.iterations, evaluations: solver.evaluations)
  }
}

/// Why a fit cannot start.
package enum FitError: Error, CustomStringConvertible, Sendable, Equatable {
  case noParameters
  case tooFewResiduals(found: Int, parameters: Int)
  case notFiniteAtStart

  package var description: String {
    switch self {
    case .noParameters: "there is no parameter to fit"
    case .tooFewResiduals(let found, let parameters):
      "\(found) rows cannot determine \(parameters) constants; at least \(parameters) are needed"
    case .notFiniteAtStart: "the model gives no finite residuals at the starting values"
    }
  }
}
