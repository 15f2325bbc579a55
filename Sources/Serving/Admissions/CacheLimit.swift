/// A request is turned away while the KV cache of every replica is too full.
package struct CacheLimit: Admission {
  package static let description = PolicyDescription(
    "kv", "requests are turned away while every replica's KV cache is fuller than a share",
    source: "a threshold on what vLLM reports as kv_cache_usage_perc",
    [PolicyParameter("occupancy", "share of the KV blocks in use", 0.01...1, standard: 0.95)])

  private let occupancy: Double

  package init(_ values: PolicyValues) { occupancy = values["occupancy"] }

  package var looksAtCaches: Bool { true }

  package mutating func admits(_ request: RequestView, cluster: [ReplicaSignals]) -> Bool {
    cluster.contains { $0.occupancy <= occupancy }
  }
}
