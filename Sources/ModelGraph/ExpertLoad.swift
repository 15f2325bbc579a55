import Foundation

/// How tokens choose experts: what the router's training decides, and so an input.
package enum ExpertRouting: Sendable, Hashable {
  /// Every token draws its experts at random, all alike.
  case uniform
  /// Visits are dealt out one by one, as load-balancing tests do.
  case even
  /// Expert loads follow a power law of density x^-exponent, from 1 to 0.8 visits a token (from 0.01 to 2 while there
  /// are fewer visits than experts): the skew of public fused-MoE measurements, which use 1.2.
  case powerLaw(Double)

  /// Exponents that are understood.
  package static let exponents = 0.01...3.0
}

/// Load of one device's experts in a step: of the busiest device, where experts are spread over several.
struct ExpertLoad {
  /// Token visits to the device's experts, and to all experts.
  let visits: Double
  let allVisits: Double
  /// Experts of the device that at least one token visits.
  let active: Double
  /// Mean visits to an active expert by eighths of them, least visited first.
  let eighths: SIMD8<Double>

  init(_ mixture: MixtureOfExperts, rows: Int, _ plan: Plan) {
    let spread = plan.parallelism.expert
    let tokens = rows * (spread > 1 ? plan.parallelism.data : 1)
    self.init(
      experts: mixture.experts, chosen: mixture.expertsPerToken, tokens: Double(tokens), spread: Double(spread),
      plan.routing)
  }

  private init(experts: Int, chosen: Int, tokens: Double, spread: Double, _ routing: ExpertRouting) {
    let count = Double(experts)
    allVisits = tokens * Double(chosen)
    switch routing {
    case .uniform:
      // n (1 - (1 - k/n)^tokens) experts are visited.
      active = count * (1 - pow(1 - Double(chosen) / count, tokens)) / spread
      visits = allVisits / spread
      eighths = SIMD8(repeating: active > 0 ? visits / active : 0)
    case .even:
      visits = allVisits / spread
      active = min(count / spread, max(min(1, allVisits), visits))
      eighths = SIMD8(repeating: active > 0 ? max(1, visits / active) : 0)
    case .powerLaw(let exponent):
      let loads = Self.powerLaw(experts, exponent: exponent, visits: allVisits, tokens: tokens)
      // The busiest device has the busiest expert and its share of the others.
      let share = experts > 1 ? (count / spread - 1) / (count - 1) : 0
      let busiest = loads.last ?? 0
      let rest = loads.dropLast()
      visits = busiest + share * rest.reduce(0, +)
      active = min(1, busiest) + share * rest.reduce(0) { $0 + min(1, $1) }
      eighths = Self.eighths(visits: visits, active: active, of: loads)
    }
  }

  /// Loads at the middles of equal parts of the distribution, ascending, none above one visit a token.
  private static func powerLaw(_ experts: Int, exponent: Double, visits: Double, tokens: Double) -> [Double] {
    guard visits > 0 else { return Array(repeating: 0, count: experts) }
    let (low, high) = visits > Double(experts) ? (1, max(1.25, 0.8 * tokens)) : (0.01, 2)
    // An exponent of 1 has a logarithm in place of powers; a neighbour is as good.
    let power = abs(1 - exponent) < 1e-6 ? 1e-6 : 1 - exponent
    let (from, to) = (pow(low, power), pow(high, power))
    var loads = (0..<experts).map { pow(from + (to - from) * (Double($0) + 0.5) / Double(experts), 1 / power) }
    var remaining = visits
    var unbounded = loads.reduce(0, +)
    // From the busiest down: what an expert cannot take goes to the rest in proportion.
    for index in loads.indices.reversed() {
      let load = unbounded > 0 ? min(tokens, loads[index] * remaining / unbounded) : 0
      unbounded -= loads[index]
      remaining -= load
      loads[index] = load
    }
    return loads
  }

  /// Eighths of the loads, scaled so that the active experts have all visits between them.
  private static func eighths(visits: Double, active: Double, of loads: [Double]) -> SIMD8<Double> {
    guard active > 0 else { return .zero }
    let visited = loads.filter { $0 >= 0.5 }
    guard !visited.isEmpty else { return SIMD8(repeating: visits / active) }
    var means = SIMD8<Double>()
    for eighth in 0..<8 {
      let from = eighth * visited.count / 8
      let to = max(from + 1, (eighth + 1) * visited.count / 8)
      means[eighth] = visited[from..<min(to, visited.count)].reduce(0, +) / Double(to - from)
    }
    return means * (8 * visits / active / means.sum())
  }
}
