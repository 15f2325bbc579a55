import EventKernel

/// How long users think, tools run and patience lasts. Parameters are seconds, draws nanoseconds.
package enum DurationDistribution: Sendable, Hashable {
  case fixed(seconds: Double)
  case uniform(ClosedRange<Double>)
  case exponential(mean: Double)
  /// The logarithm is normal with standard deviation `sigma`.
  case lognormal(median: Double, sigma: Double)
  /// A power law from `smallest` up: the share above t is (smallest / t)^shape.
  case pareto(smallest: Double, shape: Double)

  /// Longer draws are cut: 31 years.
  static let longest = 1e9

  /// Draws a duration in nanoseconds.
  func draw(_ stream: inout RandomStream) -> Int64 {
    let seconds =
      switch self {
      case .fixed(let seconds): seconds
      case .uniform(let range): range.lowerBound + stream.openUniform() * (range.upperBound - range.lowerBound)
      case .exponential(let mean): mean * stream.exponential()
      case .lognormal(let median, let sigma): median * PortableMath.exp(sigma * stream.normal())
      case .pareto(let smallest, let shape): smallest * PortableMath.power(stream.openUniform(), -1 / shape)
      }
    return Int64((min(seconds, Self.longest) * 1e9).rounded())
  }
}
