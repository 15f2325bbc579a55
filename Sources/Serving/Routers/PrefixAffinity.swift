/// The replica that has most of the prompt in its prefix cache, unless loads are too far apart.
package struct PrefixAffinity: Router {
  package static let description = PolicyDescription(
    "prefix-affinity",
    "the replica with most of the prompt in cache; the one with fewest requests when little of it is "
      + "cached anywhere or loads are too far apart",
    source: "cache-aware load balancing of the SGLang router (2024), by the replicas' own caches; Preble (2024)",
    [
      PolicyParameter("match", "share of the prompt that must be in cache", 0...1, standard: 0.5),
      PolicyParameter(
        "gap", "requests between the fullest and the emptiest replica beyond which load decides", 0...1_000_000,
        standard: 64, unit: "requests"),
      PolicyParameter("ratio", "and how many times as many the fullest must have", 1...1000, standard: 1.5),
    ])

  private let match: Double
  private let gap: Int
  private let ratio: Double
  private var byLoad = LeastOutstanding()

  package init(_ values: PolicyValues = PolicyValues(standardsOf: description), seed: UInt64 = 0) {
    match = values["match"]
    gap = values.int("gap")
    ratio = values["ratio"]
  }

  package var needs: SignalNeeds { .cachedTokens }

  package mutating func choose(_ request: RoutedRequest, among replicas: [ReplicaSignals]) -> Int {
    if !isUneven(replicas) {
      let best = replicas.least(from: 0) { a, b in
        a.cachedTokens != b.cachedTokens ? a.cachedTokens > b.cachedTokens : a.outstanding < b.outstanding
      }
      let cached = replicas[best].cachedTokens
      if cached > 0, Double(cached) >= match * Double(request.inputTokens) { return best }
    }
    return byLoad.choose(request, among: replicas)
  }

  private func isUneven(_ replicas: [ReplicaSignals]) -> Bool {
    var least = Int.max
    var most = 0
    for signals in replicas {
      least = min(least, signals.outstanding)
      most = max(most, signals.outstanding)
    }
    return most - least > gap && Double(most) > ratio * Double(least)
  }
}
