/// The replica whose KV cache is least full.
package struct LeastKV: Router {
  package static let description = PolicyDescription(
    "least-kv", "the replica whose KV cache is least full, then the one with fewest requests, in turn among equals",
    source: "load signal of Llumnix (Sun et al., OSDI 2024) and of the Kubernetes inference gateway")

  private var next = 0

  package init(_ values: PolicyValues = PolicyValues(), seed: UInt64 = 0) {}

  package var needs: SignalNeeds { .occupancy }

  package mutating func choose(_ request: RoutedRequest, among replicas: [ReplicaSignals]) -> Int {
    let chosen = replicas.least(from: next) { a, b in
      a.occupancy != b.occupancy ? a.occupancy < b.occupancy : a.outstanding < b.outstanding
    }
    next = chosen + 1
    return chosen
  }
}
