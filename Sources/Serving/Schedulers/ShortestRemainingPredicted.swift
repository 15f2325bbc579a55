/// The request with the fewest predicted answer tokens left goes first, and takes the place of one with more.
package struct ShortestRemainingPredicted: Scheduler {
  package static let description = PolicyDescription(
    "srpt-predicted", "fewest answer tokens left first, by a prediction of stated rank accuracy; preempts",
    source: "Shahout et al., Don't Stop Me Now: Embedding Based Scheduling for LLMs, arXiv:2410.01035, without its "
      + "limit on preemption", [.tau])

  private let tau: Double

  package init(_ values: PolicyValues) { tau = values["tau"] }

  package var lengths: LengthKnowledge { .ranked(tau: tau) }
  package var preempts: Bool { true }
  package func key(_ request: RequestView) -> Double { request.remainingTokens }
}
