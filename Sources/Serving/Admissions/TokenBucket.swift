/// A bucket fills at a steady rate up to its size; a request is taken if the bucket holds what it costs.
///
/// A request costs 1, or its prompt's tokens: nobody knows the answer's. One that costs more than the whole bucket is never
/// taken.
package struct TokenBucket: Admission {
  package static let description = PolicyDescription(
    "token-bucket", "requests, or tokens of prompts, within a rate and a burst",
    source: "J. Turner, New Directions in Communications (or Which Way to the Information Age?), IEEE "
      + "Communications Magazine 24(10), 1986",
    [
      PolicyParameter("rate", "what the bucket gains", 1e-6...1e12, standard: 10, unit: "per s"),
      PolicyParameter("burst", "what the bucket holds at most, and at the start", 1...1e12, standard: 100),
      .choice("unit", "what is counted", ["requests", "tokens"], standard: "requests"),
    ])

  private let rate: Double
  private let burst: Double
  private let countsTokens: Bool
  private var level: Double
  private var updated: Int64?

  package init(_ values: PolicyValues) {
    rate = values["rate"]
    burst = values["burst"]
    countsTokens = values.text("unit") == "tokens"
    level = burst
  }

  package mutating func admits(_ request: RequestView, cluster: [ReplicaSignals]) -> Bool {
    if let updated { level = min(burst, level + rate * (Double(request.now - updated) / 1e9)) }
    updated = request.now
    let cost = countsTokens ? Double(request.inputTokens) : 1
    guard cost <= level else { return false }
    level -= cost
    return true
  }
}
