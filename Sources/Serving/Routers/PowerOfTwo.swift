import EventKernel

/// The least loaded of a few replicas drawn by lot.
package struct PowerOfTwo: Router {
  package static let description = PolicyDescription(
    "power-of-two", "the one with fewest requests of a few different replicas drawn by lot",
    source: "Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, IEEE TPDS 12(10), 2001",
    [PolicyParameter("choices", "replicas drawn", 1...64, standard: 2, unit: "replicas")])

  private let choices: Int
  private var stream: RandomStream
  private var drawn: [Int] = []

  package init(_ values: PolicyValues = PolicyValues(standardsOf: description), seed: UInt64 = 0) {
    choices = values.int("choices")
    stream = RandomStream(seed: seed, name: "router.power-of-two")
  }

  package mutating func choose(_ request: RoutedRequest, among replicas: [ReplicaSignals]) -> Int {
    drawn.removeAll(keepingCapacity: true)
    while drawn.count < min(choices, replicas.count) {
      let index = stream.integer(below: replicas.count)
      if !drawn.contains(index) { drawn.append(index) }
    }
    var best = drawn[0]
    for index in drawn.dropFirst() where replicas[index].outstanding < replicas[best].outstanding { best = index }
    return best
  }
}
