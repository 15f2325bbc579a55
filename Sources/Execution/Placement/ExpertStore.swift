import EventKernel
import ModelGraph

/// Room for some of the experts of a layer, and who stays in it.
///
/// Visits are drawn independently from the routing's popularity, which is how a store behaves that knows nothing of
/// texts; a measured hit rate, where there is one, goes into the plan in its place.
package struct ExpertStore: Sendable {
  package enum Policy: String, CaseIterable, Sendable {
    /// Some of each layer's, whichever.
    case spread
    /// The least recently visited makes room.
    case lru
    /// The most popular stay.
    case frequency
    /// The one visited furthest in the future makes room: the best there can be.
    case belady
    /// All experts of the first layers, none of the others.
    case shallowFirst = "shallow-first"
  }

  /// Popularity of each expert, most popular first; they add up to 1.
  package let popularity: [Double]
  package let policy: Policy

  package init(popularity: [Double], policy: Policy) {
    self.popularity = popularity
    self.policy = policy
  }

  /// The popularity that a routing gives so many experts.
  package static func popularity(experts: Int, routing: ExpertRouting) -> [Double] {
    guard case .powerLaw(let exponent) = routing else {
      return [Double](repeating: 1 / Double(experts), count: experts)
    }
    let weights = (1...experts).map { PortableMath.exp(-exponent * PortableMath.log(Double($0))) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }

  /// Share of visits that find their expert in the store, when a share of a layer's experts fit.
  /// - Parameter layer: Position of the layer, and `layers` how many there are, for the policy that prefers the first.
  package func hitRate(resident share: Double, layer: Int, of layers: Int) -> Double {
    guard share < 1 else { return 1 }
    guard share > 0 else { return 0 }
    let room = share * Double(popularity.count)
    switch policy {
    case .spread: return share
    case .frequency: return most(room)
    case .lru: return leastRecent(room)
    case .belady: return belady(Int(room.rounded(.down)))
    case .shallowFirst: return min(1, max(0, share * Double(layers) - Double(layer)))
    }
  }

  private func most(_ room: Double) -> Double {
    let whole = Int(room)
    let rest = whole < popularity.count ? (room - Double(whole)) * popularity[whole] : 0
    return popularity.prefix(whole).reduce(0, +) + rest
  }

  /// Che's approximation: an expert is in the store if it was visited within the characteristic time t, at which the
  /// expected number in it is its room (H. Che et al., IEEE JSAC 20(7), 2002).
  private func leastRecent(_ room: Double) -> Double {
    func filled(_ time: Double) -> Double { popularity.reduce(0) { $0 + 1 - PortableMath.exp(-$1 * time) } }
    var low = 0.0
    var high = 1.0
    while filled(high) < room, high < 1e12 { high *= 2 }
    for _ in 0..<80 {
      let middle = (low + high) / 2
      if filled(middle) < room { low = middle } else { high = middle }
    }
    return popularity.reduce(0) { $0 + $1 * (1 - PortableMath.exp(-$1 * high)) }
  }

  private static let drawn = 20_000

  /// Belady's rule on a long random sequence.
  private func belady(_ room: Int) -> Double {
    guard room > 0 else { return 0 }
    let visits = sequence()
    var following = [Int](repeating: Int.max, count: visits.count)
    var last = [Int](repeating: Int.max, count: popularity.count)
    for index in visits.indices.reversed() {
      following[index] = last[visits[index]]
      last[visits[index]] = index
    }
    var next: [Int: Int] = [:]
    var hits = 0
    for (index, expert) in visits.enumerated() {
      if next[expert] != nil { hits += 1 } else if next.count >= room { evictFurthest(&next, beyond: following[index]) }
      if next[expert] != nil || next.count < room { next[expert] = following[index] }
    }
    return Double(hits) / Double(visits.count)
  }

  /// Makes room unless the newcomer itself is wanted last.
  private func evictFurthest(_ next: inout [Int: Int], beyond newcomer: Int) {
    guard let furthest = next.max(by: { ($0.value, $0.key) < ($1.value, $1.key) }), furthest.value > newcomer else {
      return
    }
    next[furthest.key] = nil
  }

  private func sequence() -> [Int] {
    var stream = RandomStream(seed: 1, name: "expert-store")
    var cumulative: [Double] = []
    var sum = 0.0
    for share in popularity {
      sum += share
      cumulative.append(sum)
    }
    return (0..<Self.drawn).map { _ in
      let draw = stream.uniform() * sum
      return min(cumulative.count - 1, cumulative.partitioningIndex { $0 > draw })
    }
  }
}

extension [Double] {
  /// The first index whose element satisfies a condition that, once true, stays true.
  fileprivate func partitioningIndex(_ condition: (Double) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if condition(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
