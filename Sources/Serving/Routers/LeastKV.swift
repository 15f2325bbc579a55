/// The replica whose KV cache is least full.
package struct LeastKV: Router {
  package static let description = PolicyDescription(
    "least-kv", "the replica whose KV cache is least full, then the one with fewest requests",
    source: "load signal of Llumnix (Sun et al., OSDI 2024) and of the Kubernetes inference gateway")

  package init(_ values: PolicyValues = PolicyValues(), seed: UInt64 = 0) {}

  package var looksAtCaches: Bool { true }

  package func choose(_ request: RoutedRequest, among replicas: [ReplicaSignals]) -> Int {
    var best = 0
    for index in replicas.indices.dropFirst() where replicas[index].isFreer(than: replicas[best]) { best = index }
    return best
  }
}

extension ReplicaSignals {
  fileprivate func isFreer(than other: ReplicaSignals) -> Bool {
    occupancy != other.occupancy ? occupancy < other.occupancy : outstanding < other.outstanding
  }
}
