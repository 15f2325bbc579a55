/// The request with the shortest predicted answer goes first.
package struct ShortestJobPredicted: Scheduler {
  package static let description = PolicyDescription(
    "sjf-predicted", "shortest answer first, by a prediction that ranks lengths with a stated accuracy",
    source: "Fu et al., Efficient LLM Scheduling by Learning to Rank, NeurIPS 2024, arXiv:2408.15792", [.tau])

  private let tau: Double

  package init(_ values: PolicyValues) { tau = values["tau"] }

  package var lengths: LengthKnowledge { .ranked(tau: tau) }
  package func key(_ request: RequestView) -> Double { Double(request.predictedTokens) }
}

extension PolicyParameter {
  /// How well predicted lengths rank answers.
  package static let tau = PolicyParameter(
    "tau", "Kendall's tau between predicted and true lengths; 0 knows nothing, 1 everything", 0...1, standard: 0.5)
}
