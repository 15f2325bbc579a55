import Quantities

/// A kind of request that is scheduled and reported by itself.
package struct RequestClass: Sendable, Hashable {
  package var name: String
  /// Who it is billed to; fair policies share between tenants.
  package var tenant: String
  /// The tenant's share under fair policies, relative to others; positive.
  package var weight: Double
  /// Higher goes first under priority policies.
  package var priority: Int
  /// What goodput counts, and what deadlines derive from.
  package var objective: ServiceObjective
  /// The runtime gives up on a request that has not ended so long after arrival.
  package var timeout: Seconds?

  package init(
    name: String, tenant: String? = nil, weight: Double = 1, priority: Int = 0,
    objective: ServiceObjective = ServiceObjective(), timeout: Seconds? = nil
  ) {
    self.name = name
    self.tenant = tenant ?? name
    self.weight = weight
    self.priority = priority
    self.objective = objective
    self.timeout = timeout
  }

  /// The class of sources that know no classes.
  package static let standard = RequestClass(name: "all")
}

/// Latencies that a request must meet to count as good; one that is absent is met by all.
package struct ServiceObjective: Sendable, Hashable {
  /// Arrival to first token.
  package var timeToFirstToken: Seconds?
  /// (Last token - first token) / (tokens - 1).
  package var timePerOutputToken: Seconds?
  /// Arrival to last token.
  package var endToEnd: Seconds?

  package init(
    timeToFirstToken: Seconds? = nil, timePerOutputToken: Seconds? = nil, endToEnd: Seconds? = nil
  ) {
    self.timeToFirstToken = timeToFirstToken
    self.timePerOutputToken = timePerOutputToken
    self.endToEnd = endToEnd
  }

  package var isEmpty: Bool { timeToFirstToken == nil && timePerOutputToken == nil && endToEnd == nil }
}
