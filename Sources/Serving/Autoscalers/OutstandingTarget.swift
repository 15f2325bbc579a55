/// As many replicas as keep the requests on each near a target.
package struct OutstandingTarget: Autoscaler {
  package static let description = PolicyDescription(
    "outstanding", "keeps the requests on each replica, waiting or running, near a target",
    source: "Kubernetes horizontal pod autoscaler on a per-pod average; Knative's concurrency target",
    [
      PolicyParameter("target", "requests on each replica", 0.1...100_000, standard: 32, unit: "requests"),
      PolicyParameter("tolerance", "relative error that changes nothing", 0...10, standard: 0.1),
    ])

  private let target: Double
  private let tolerance: Double

  package init(_ values: PolicyValues) {
    target = values["target"]
    tolerance = values["tolerance"]
  }

  package func replicas(_ pool: PoolView) -> Int {
    Self.scaled(pool.up + pool.starting, by: Double(pool.outstanding) / target, tolerance: tolerance)
  }

  /// The horizontal pod autoscaler's rule: as many as are needed, unless those at hand are near enough.
  static func scaled(_ present: Int, by needed: Double, tolerance: Double) -> Int {
    let ratio = needed / Double(max(1, present))
    return abs(ratio - 1) <= tolerance ? present : Int(min(1e6, needed.rounded(.up)))
  }
}
