/// How much a residual counts towards the sum a fit makes small.
package enum RobustLoss: Sendable, Equatable {
  /// The plain square.
  case square
  /// 2 s^2 (sqrt(1 + (r/s)^2) - 1): the square of small residuals, in proportion to large ones, so that a few wild
  /// rows do not pull the rest.
  case softL1(scale: Double)

  /// A residual whose plain square is the loss, with the sign kept.
  func transformed(_ residual: Double) -> Double {
    switch self {
    case .square: return residual
    case .softL1(let scale):
      let ratio = residual / scale
      // sqrt(1 + z) - 1 loses digits at small z; z / (sqrt(1 + z) + 1) does not.
      let size = (2 * ratio * ratio / ((1 + ratio * ratio).squareRoot() + 1)).squareRoot() * scale
      return residual < 0 ? -size : size
    }
  }
}
