/// Replicas are added while KV caches are full, and taken away while they are empty.
package struct OccupancyThresholds: Autoscaler {
  package static let description = PolicyDescription(
    "occupancy", "a share more replicas while the KV caches are fuller than this, a share fewer while they are emptier",
    source: "step scaling on cache use, as the Kubernetes inference gateway and AIBrix do on gpu_cache_usage",
    [
      PolicyParameter("high", "share of KV blocks in use that adds", 0...1, standard: 0.8),
      PolicyParameter("low", "and that takes away", 0...1, standard: 0.3),
      PolicyParameter("step", "share of the replicas added or taken, one at least", 0...10, standard: 0.25),
    ])

  private let thresholds: Thresholds

  package init(_ values: PolicyValues) { thresholds = Thresholds(values) }

  package func replicas(_ pool: PoolView) -> Int { thresholds.replicas(pool, pool.occupancy) }
}

/// Step scaling: a share of the replicas more above one threshold, fewer below another.
struct Thresholds {
  let high: Double
  let low: Double
  let step: Double

  init(_ values: PolicyValues) {
    high = values["high"]
    low = values["low"]
    step = values["step"]
  }

  func replicas(_ pool: PoolView, _ signal: Double) -> Int {
    let present = pool.up + pool.starting
    let change = max(1, Int((step * Double(present)).rounded(.up)))
    // Those that start up have not helped yet: what is under way is not asked for again.
    if signal > high { return pool.starting > 0 ? present : present + change }
    return signal < low ? present - change : present
  }
}
