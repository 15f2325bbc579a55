/// The replica with the fewest prompt tokens waiting.
package struct LeastTokens: Router {
  package static let description = PolicyDescription(
    "least-tokens", "the replica with the fewest prompt tokens waiting, then the one with fewest requests",
    source: "join the shortest queue by pending tokens, as Splitwise (Patel et al., ISCA 2024) and DistServe")

  private var next = 0

  package init(_ values: PolicyValues = PolicyValues(), seed: UInt64 = 0) {}

  package mutating func choose(_ request: RoutedRequest, among replicas: [ReplicaSignals]) -> Int {
    let chosen = replicas.least(from: next) { a, b in
      a.waitingTokens != b.waitingTokens ? a.waitingTokens < b.waitingTokens : a.outstanding < b.outstanding
    }
    next = chosen + 1
    return chosen
  }
}
