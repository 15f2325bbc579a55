/// Exponential smoothing of arrivals a second, and of the time in the pool.
///
/// By Little's law the requests in the pool will be arrivals a second times the time each spends there, which is taken
/// from the interval that ends: outstanding over arrivals a second, smoothed likewise.
struct Forecast {
  static let parameters = [
    PolicyParameter("target", "requests that keep a replica fully used", 0.1...100_000, standard: 32, unit: "requests"),
    PolicyParameter("utilisation", "share of the target to plan for", 0.01...1, standard: 0.8),
    PolicyParameter("horizon", "how far ahead", 0...1_000_000, standard: 60, unit: "s"),
    PolicyParameter("alpha", "weight of the newest interval in the level", 0.001...1, standard: 0.5),
  ]

  private let target: Double
  private let horizon: Double
  private let alpha: Double
  private let beta: Double
  /// Arrivals a second, their change a second, and seconds in the pool; nothing before the first interval.
  private var level: Double?
  private var trend = 0.0
  private var residence = 0.0

  init(_ values: PolicyValues, beta: Double) {
    target = values["target"] * values["utilisation"]
    horizon = values["horizon"]
    alpha = values["alpha"]
    self.beta = beta
  }

  mutating func replicas(_ pool: PoolView) -> Int {
    learn(pool)
    let expected = max(0, (level ?? 0) + trend * horizon) * residence
    return Int(min(1e6, (expected / target).rounded(.up)))
  }

  private mutating func learn(_ pool: PoolView) {
    let rate = Double(pool.arrivals) / pool.interval
    if pool.arrivals > 0 {
      let time = Double(pool.outstanding) / rate
      residence = level == nil ? time : residence + alpha * (time - residence)
    }
    guard let before = level else {
      level = rate
      return
    }
    let expected = before + trend * pool.interval
    let level = expected + alpha * (rate - expected)
    trend += beta * ((level - before) / pool.interval - trend)
    self.level = level
  }
}
