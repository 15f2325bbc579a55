/// Replicas are added while many requests wait, and taken away while hardly any do.
package struct WaitingThresholds: Autoscaler {
  package static let description = PolicyDescription(
    "waiting", "a share more replicas while more than so many requests wait at each, a share fewer while fewer do",
    source: "step scaling on queue length, as KEDA and cloud autoscaling groups do on num_requests_waiting",
    [
      PolicyParameter("high", "waiting requests per replica that add", 0...1_000_000, standard: 4, unit: "requests"),
      PolicyParameter("low", "and that take away", 0...1_000_000, standard: 0.5, unit: "requests"),
      PolicyParameter("step", "share of the replicas added or taken, one at least", 0...10, standard: 0.25),
    ])

  private let thresholds: Thresholds

  package init(_ values: PolicyValues) { thresholds = Thresholds(values) }

  package func replicas(_ pool: PoolView) -> Int {
    thresholds.replicas(pool, Double(pool.waiting) / Double(max(1, pool.up)))
  }
}
