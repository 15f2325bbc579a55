import EventKernel

/// Any replica, each as likely.
package struct RandomChoice: Router {
  package static let description = PolicyDescription(
    "random", "any replica, each as likely", source: "the baseline of balls into bins")

  private var stream: RandomStream

  package init(_ values: PolicyValues = PolicyValues(), seed: UInt64 = 0) {
    stream = RandomStream(seed: seed, name: "router.random")
  }

  package mutating func choose(_ request: RoutedRequest, among replicas: [ReplicaSignals]) -> Int {
    stream.integer(below: replicas.count)
  }
}
