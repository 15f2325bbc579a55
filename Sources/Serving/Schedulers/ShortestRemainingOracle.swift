/// The request with the fewest answer tokens left goes first, and takes the place of one with more.
package struct ShortestRemainingOracle: Scheduler {
  package static let description = PolicyDescription(
    "srpt-oracle", "fewest answer tokens left first, by true lengths; preempts",
    source: "L. Schrage, A Proof of the Optimality of the Shortest Remaining Processing Time Discipline, "
      + "Operations Research 16, 1968")

  package init(_ values: PolicyValues = PolicyValues()) {}

  package var lengths: LengthKnowledge { .oracle }
  package var preempts: Bool { true }
  package func key(_ request: RequestView) -> Double { request.remainingTokens }
}

extension RequestView {
  /// Answer tokens left as far as is known: at least one, also where the answer is longer than was predicted.
  var remainingTokens: Double { Double(max(1, predictedTokens - generatedTokens)) }
}
