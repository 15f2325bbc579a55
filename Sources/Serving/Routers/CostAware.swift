/// The replica that gives a token for least money, its queue reckoned in.
package struct CostAware: Router {
  package static let description = PolicyDescription(
    "cost-aware",
    "the least price / speed x (1 + requests / (knee x speed)): the cheapest tokens while there is no queue, "
      + "the faster replicas under load",
    source: "after Mélange (Griggs et al. 2024), which weighs unlike accelerators by price per token served",
    [
      PolicyParameter(
        "knee", "requests at which the fastest replica counts as twice as dear", 0.1...100_000, standard: 32,
        unit: "requests")
    ])

  private let knee: Double

  package init(_ values: PolicyValues = PolicyValues(standardsOf: description), seed: UInt64 = 0) {
    knee = values["knee"]
  }

  package func choose(_ request: RoutedRequest, among replicas: [ReplicaSignals]) -> Int {
    // Where one price is unknown, none can be compared.
    let areKnown = replicas.allSatisfy { $0.price > 0 }
    func score(_ signals: ReplicaSignals) -> Double {
      let price = areKnown ? signals.price : 1
      return price / signals.speed * (1 + Double(signals.outstanding) / (knee * signals.speed))
    }
    return replicas.least(from: 0) { score($0) < score($1) }
  }
}
