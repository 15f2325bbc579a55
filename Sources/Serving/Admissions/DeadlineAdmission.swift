/// A request is turned away when its first token could not be in time anywhere.
///
/// The first token is expected once the prompts in front of it and its own are computed, at the rate that the replica has
/// computed prompts lately. Requests of classes without an objective for the first token are taken, and so are all until a
/// rate is known.
package struct DeadlineAdmission: Admission {
  package static let description = PolicyDescription(
    "deadline", "requests whose first token is not expected in time are turned away at once",
    source: "early rejection in Qin et al., Mooncake: A KVCache-centric Disaggregated Architecture for LLM Serving, "
      + "arXiv:2407.00079",
    [
      PolicyParameter(
        "slack", "expected time over the time allowed at which a request is turned away", 0.01...100, standard: 1)
    ])

  private let slack: Double

  package init(_ values: PolicyValues) { slack = values["slack"] }

  package var looksAtPromptRates: Bool { true }

  package mutating func admits(_ request: RequestView, cluster: [ReplicaSignals]) -> Bool {
    guard let deadline = request.firstTokenDeadline else { return true }
    let allowed = slack * (Double(deadline - request.now) / 1e9)
    return cluster.contains { replica in
      guard replica.promptRate > 0 else { return true }
      let tokens = replica.waitingTokens + max(1, request.inputTokens - replica.cachedTokens)
      return Double(tokens) / replica.promptRate <= allowed
    }
  }
}
