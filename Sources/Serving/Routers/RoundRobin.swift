/// Each replica in turn.
package struct RoundRobin: Router {
  package static let description = PolicyDescription(
    "round-robin", "each replica in turn", source: "the plainest there is")

  private var next = 0

  package init(_ values: PolicyValues = PolicyValues(), seed: UInt64 = 0) {}

  package mutating func choose(_ request: RoutedRequest, among replicas: [ReplicaSignals]) -> Int {
    defer { next += 1 }
    return next % replicas.count
  }
}
