import EventKernel

/// How the gaps between arrivals vary around their mean.
package enum GapLaw: Sendable, Hashable {
  case exponential
  /// The coefficient of variation is 1 / sqrt(shape).
  case gamma(shape: Double)
  /// `scale` makes the mean 1: see ``weibull(shape:)``.
  case scaledWeibull(shape: Double, scale: Double)
  case equal

  /// Gaps of a Weibull distribution with a shape; below 1 is burstier than Poisson.
  /// - Precondition: 0.1 <= `shape` <= 100.
  package static func weibull(shape: Double) -> GapLaw {
    .scaledWeibull(shape: shape, scale: 1 / PortableMath.gamma(1 + 1 / shape))
  }

  /// Gamma gaps with a coefficient of variation; exponential for 1, equal for 0.
  package static func varying(_ variation: Double) -> GapLaw {
    if variation == 0 { return .equal }
    return variation == 1 ? .exponential : .gamma(shape: 1 / (variation * variation))
  }

  /// Standard deviation over mean.
  package var variation: Double {
    switch self {
    case .exponential: 1
    case .gamma(let shape): 1 / shape.squareRoot()
    case .scaledWeibull(let shape, _): Self.weibullVariation(shape: shape)
    case .equal: 0
    }
  }

  /// The Weibull shape with a coefficient of variation, by bisection.
  /// - Returns: Nothing outside the shapes 0.1 to 100.
  package static func weibullShape(variation: Double) -> Double? {
    var (low, high) = (0.1, 100.0)
    guard variation <= weibullVariation(shape: low), variation >= weibullVariation(shape: high) else { return nil }
    for _ in 0..<80 {
      let middle = (low + high) / 2
      if weibullVariation(shape: middle) > variation { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  private static func weibullVariation(shape: Double) -> Double {
    let mean = PortableMath.gamma(1 + 1 / shape)
    return max(0, PortableMath.gamma(1 + 2 / shape) / (mean * mean) - 1).squareRoot()
  }

  /// A gap with mean 1.
  func draw(_ stream: inout RandomStream) -> Double {
    switch self {
    case .exponential: stream.exponential()
    case .gamma(let shape): stream.gamma(shape: shape) / shape
    case .scaledWeibull(let shape, let scale): scale * PortableMath.power(stream.exponential(), 1 / shape)
    case .equal: 1
    }
  }
}
