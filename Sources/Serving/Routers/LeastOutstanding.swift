/// The replica with the fewest requests, waiting or running.
package struct LeastOutstanding: Router {
  package static let description = PolicyDescription(
    "least-outstanding", "the replica with the fewest requests, waiting or running, in turn among equals",
    source: "join the shortest queue (Winston 1977); least-connections of load balancers")

  private var next = 0

  package init(_ values: PolicyValues = PolicyValues(), seed: UInt64 = 0) {}

  package mutating func choose(_ request: RoutedRequest, among replicas: [ReplicaSignals]) -> Int {
    let chosen = replicas.least(from: next) { $0.outstanding < $1.outstanding }
    next = chosen + 1
    return chosen
  }
}
