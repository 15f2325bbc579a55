/// Long and short answers apart: two groups of replicas by predicted length, the least loaded within a group.
package struct PredictedLength: Router {
  package static let description = PolicyDescription(
    "predicted-length",
    "answers predicted long on some of the replicas, short ones on the others; there the one with "
      + "fewest requests",
    source: "two-level scheduling by predicted length of TetriInfer (Hu et al. 2024), which keeps heavy and light "
      + "decodes apart",
    [
      PolicyParameter("threshold", "predicted tokens of a long answer", 1...1_000_000, standard: 128, unit: "tokens"),
      PolicyParameter("share", "of the replicas, for long answers", 0...1, standard: 0.5),
      PolicyParameter("tau", "accuracy of the prediction: Kendall's tau, 1 for the truth", 0...1, standard: 0.5),
    ])

  private let threshold: Int
  private let share: Double
  private let tau: Double
  private var next = 0

  package init(_ values: PolicyValues = PolicyValues(standardsOf: description), seed: UInt64 = 0) {
    threshold = values.int("threshold")
    share = values["share"]
    tau = values["tau"]
  }

  package var lengths: LengthKnowledge { .ranked(tau: tau) }

  package mutating func choose(_ request: RoutedRequest, among replicas: [ReplicaSignals]) -> Int {
    // Both groups have a replica while there are two.
    let heavy = min(max(Int((share * Double(replicas.count)).rounded()), 1), max(1, replicas.count - 1))
    let isHeavy = request.predictedTokens >= threshold
    let group =
      replicas.count == 1 ? 0..<1 : isHeavy ? replicas.count - heavy..<replicas.count : 0..<replicas.count - heavy
    var best = group.lowerBound + next % group.count
    for index in group where replicas[index].outstanding < replicas[best].outstanding { best = index }
    next += 1
    return best
  }
}
