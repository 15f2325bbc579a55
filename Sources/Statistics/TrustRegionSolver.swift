import CGSL

/// GSL's Levenberg-Marquardt trust region on the transformed problem: parameters without bounds, residuals whose
/// squares are the loss, derivatives by forward differences.
final class TrustRegionSolver {
  struct Outcome {
    var place: [Double]
    var cost: Double
    /// Diagonal of the inverse of J'J, by parameter.
    var variances: [Double]
    var iterations: Int
  }

  let fit: RobustFit
  let count: Int
  let model: ([Double]) -> [Double]
  private(set) var evaluations = 0

  /// Stands for a residual that is not finite: bad, and small enough to square.
  private static let veryBad = 1e6

  init(fit: RobustFit, count: Int, model: @escaping ([Double]) -> [Double]) {
    self.fit = fit
    self.count = count
    self.model = model
    // GSL's own handler ends the program; every call's status is read instead.
    gsl_set_error_handler_off()
  }

  /// Runs from one start.
  /// - Returns: Nothing when GSL refuses the start.
  func run(from start: [Double]) -> Outcome? {
    let size = start.count
    var options = gsl_multifit_nlinear_default_parameters()
    var problem = gsl_multifit_nlinear_fdf()
    problem.n = count
    problem.p = size
    problem.params = Unmanaged.passUnretained(self).toOpaque()
    problem.f = { place, context, residuals in TrustRegionSolver.fill(residuals, at: place, context) }
    problem.df = { place, context, jacobian in TrustRegionSolver.fill(jacobian, at: place, context) }
    guard let work = gsl_multifit_nlinear_alloc(gslTrustRegion(), &options, count, size),
      let vector = gsl_vector_alloc(size)
    else { return nil }
    defer {
      gsl_multifit_nlinear_free(work)
      gsl_vector_free(vector)
    }
    for index in start.indices { gsl_vector_set(vector, index, start[index]) }
    guard gsl_multifit_nlinear_init(vector, &problem, work) == 0 else { return nil }
    let iterations = iterate(work)
    return outcome(work, size: size, iterations: iterations)
  }

  private func iterate(_ work: UnsafeMutablePointer<gsl_multifit_nlinear_workspace>) -> Int {
    var reason: Int32 = 0
    for iteration in 1...max(1, fit.maxIterations) {
      // A step that cannot improve is the end as well.
      guard gsl_multifit_nlinear_iterate(work) == 0 else { return iteration }
      let done = gsl_multifit_nlinear_test(fit.tolerance, fit.tolerance * fit.tolerance, 0, &reason, work)
      if done == 0 { return iteration }
    }
    return fit.maxIterations
  }

  private func outcome(
    _ work: UnsafeMutablePointer<gsl_multifit_nlinear_workspace>, size: Int, iterations: Int
  ) -> Outcome? {
    guard let place = gsl_multifit_nlinear_position(work), let residuals = gsl_multifit_nlinear_residual(work),
      let jacobian = gsl_multifit_nlinear_jac(work), let covariance = gsl_matrix_alloc(size, size)
    else { return nil }
    defer { gsl_matrix_free(covariance) }
    let found = gsl_multifit_nlinear_covar(jacobian, 1e-10, covariance) == 0
    let cost = (0..<count).reduce(0.0) { $0 + gsl_vector_get(residuals, $1) * gsl_vector_get(residuals, $1) }
    return Outcome(
      place: (0..<size).map { gsl_vector_get(place, $0) }, cost: cost,
      variances: (0..<size).map { variance(found ? gsl_matrix_get(covariance, $0, $0) : 0) }, iterations: iterations)
  }

  /// GSL gives zero to what the data does not determine.
  private func variance(_ element: Double) -> Double { element > 0 ? element : .infinity }

  // MARK: Callbacks

  private static func fill(
    _ residuals: UnsafeMutablePointer<gsl_vector>?, at place: UnsafePointer<gsl_vector>?,
    _ context: UnsafeMutableRawPointer?
  ) -> Int32 {
    guard let residuals, let place, let context else { return Int32(GSL_EFAULT) }
    let solver = Unmanaged<TrustRegionSolver>.fromOpaque(context).takeUnretainedValue()
    let values = solver.residuals(at: solver.places(place))
    for index in values.indices { gsl_vector_set(residuals, index, values[index]) }
    return 0
  }

  private static func fill(
    _ jacobian: UnsafeMutablePointer<gsl_matrix>?, at place: UnsafePointer<gsl_vector>?,
    _ context: UnsafeMutableRawPointer?
  ) -> Int32 {
    guard let jacobian, let place, let context else { return Int32(GSL_EFAULT) }
    let solver = Unmanaged<TrustRegionSolver>.fromOpaque(context).takeUnretainedValue()
    let places = solver.places(place)
    let base = solver.residuals(at: places)
    for column in places.indices {
      var moved = places
      // Towards the middle, so that a step never folds over a bound.
      let step = places[column] > 0 ? -solver.fit.differenceStep : solver.fit.differenceStep
      moved[column] += step
      let values = solver.residuals(at: moved)
      for row in base.indices { gsl_matrix_set(jacobian, row, column, (values[row] - base[row]) / step) }
    }
    return 0
  }

  private func places(_ vector: UnsafePointer<gsl_vector>) -> [Double] {
    fit.parameters.indices.map { gsl_vector_get(vector, $0) }
  }

  private func residuals(at places: [Double]) -> [Double] {
    evaluations += 1
    return model(zip(fit.parameters, places).map { $0.value(at: $1) }).map { residual in
      fit.loss.transformed(residual.isFinite ? residual : Self.veryBad)
    }
  }
}
