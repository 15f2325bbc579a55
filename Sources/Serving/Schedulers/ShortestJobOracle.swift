/// The request with the shortest answer goes first, as if its length were known: a bound for what predictions can give.
package struct ShortestJobOracle: Scheduler {
  package static let description = PolicyDescription(
    "sjf-oracle", "shortest answer first, by its true length; running requests stay",
    source: "shortest job first; the bound that Fu et al., arXiv:2408.15792, compare with")

  package init(_ values: PolicyValues = PolicyValues()) {}

  package var lengths: LengthKnowledge { .oracle }
  package func key(_ request: RequestView) -> Double { Double(request.predictedTokens) }
}
