/// A request is turned away while too many wait in the cluster.
package struct QueueLimit: Admission {
  package static let description = PolicyDescription(
    "queue-limit", "requests are turned away while so many wait", source: "the finite waiting room of queueing theory",
    [.whole("waiting", "requests that may wait in the whole cluster", 1...1_000_000_000, standard: 100)])

  private let limit: Int

  package init(_ values: PolicyValues) { limit = values.int("waiting") }

  package mutating func admits(_ request: RequestView, cluster: [ReplicaSignals]) -> Bool {
    cluster.reduce(0) { $0 + $1.waiting } < limit
  }
}
