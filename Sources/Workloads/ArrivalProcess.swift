/// How the times between arrivals come about. Rates are requests a second, phases seconds.
package enum ArrivalProcess: Sendable, Hashable {
  /// Independent exponential gaps.
  case poisson(rate: Double)
  /// Independent gamma gaps; the coefficient of variation is 1 / sqrt(shape): a shape below 1 is burstier than
  /// Poisson.
  case gamma(rate: Double, shape: Double)
  /// Poisson arrivals whose rate alternates between two phases, beginning with the phase on.
  case onOff(OnOff)
  /// One request every 1 / rate seconds, the first at 0.
  case constant(rate: Double)

  package struct OnOff: Sendable, Hashable {
    package enum Phases: String, CaseIterable, Sendable {
      /// The durations are means of exponential distributions.
      case exponential
      /// Every phase lasts exactly as long.
      case fixed
    }
    package var onRate: Double
    package var offRate: Double
    package var onSeconds: Double
    package var offSeconds: Double
    package var phases: Phases
  }

  /// Requests a second in the long run.
  package var meanRate: Double {
    switch self {
    case .poisson(let rate), .gamma(let rate, _), .constant(let rate): rate
    case .onOff(let process):
      (process.onRate * process.onSeconds + process.offRate * process.offSeconds)
        / (process.onSeconds + process.offSeconds)
    }
  }

  /// The same process at another mean rate: gaps keep their shape; on and off phases keep their durations.
  /// - Precondition: `rate` is positive.
  package func scaled(toRate rate: Double) -> ArrivalProcess {
    precondition(rate > 0 && rate.isFinite, "a request rate is positive")
    switch self {
    case .poisson: return .poisson(rate: rate)
    case .gamma(_, let shape): return .gamma(rate: rate, shape: shape)
    case .constant: return .constant(rate: rate)
    case .onOff(var process):
      let factor = rate / meanRate
      process.onRate *= factor
      process.offRate *= factor
      return .onOff(process)
    }
  }
}
