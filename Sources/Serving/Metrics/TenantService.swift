import Workloads

/// What each tenant asked for and what it got, while requests kept arriving.
///
/// Over a whole run every tenant gets all that it asked for, however unfairly; so service is counted up to the last
/// arrival. Where requests bring forth others (sessions, closed loops) it is counted up to the end.
package struct TenantService: Sendable, Equatable {
  package struct Tenant: Sendable, Equatable {
    package let name: String
    /// Its share under fair policies, relative to others.
    package let weight: Double
    /// Tokens that it asked for, and that it was served: those of prompts once, those of answers twice.
    package fileprivate(set) var demand = 0
    package fileprivate(set) var service = 0
    /// Service of requests that have ended.
    fileprivate var ended = 0
  }

  package private(set) var tenants: [Tenant] = []
  private let tenantOfClass: [Int]
  private var isSettled = false

  /// How fair-share policies weigh tokens: an output token costs about as much as two of a prompt (virtual token
  /// counter, Sheng et al., "Fairness in Serving Large Language Models", OSDI 2024).
  private static let outputWeight = 2

  package init(_ classes: [RequestClass]) {
    var tenants: [Tenant] = []
    tenantOfClass = classes.map { item in
      if let known = tenants.firstIndex(where: { $0.name == item.tenant }) { return known }
      tenants.append(Tenant(name: item.tenant, weight: item.weight))
      return tenants.count - 1
    }
    self.tenants = tenants
  }

  mutating func arrive(_ request: Request) {
    let tokens = request.inputTokens + Self.outputWeight * request.outputTokens * Int(request.samples)
    tenants[tenantOfClass[Int(request.classIndex)]].demand += tokens
  }

  mutating func end(_ record: RequestRecord) {
    tenants[tenantOfClass[record.classIndex]].ended +=
      record.promptTokensServed + Self.outputWeight * record.generatedTokens
  }

  /// The source has no more requests: what is served until now counts.
  /// - Parameter open: Prompt and answer tokens served to requests that have not ended, with their classes.
  mutating func settle(open: [(classIndex: Int, prompt: Int, answer: Int)]) {
    isSettled = true
    for index in tenants.indices { tenants[index].service = tenants[index].ended }
    for part in open {
      tenants[tenantOfClass[part.classIndex]].service += part.prompt + Self.outputWeight * part.answer
    }
  }

  /// Another request came after all.
  mutating func unsettle() { isSettled = false }

  /// The run is over, with every request reported.
  mutating func finish() { if !isSettled { settle(open: []) } }

  /// Jain's index of service over weight: 1 when all tenants get alike, 1 / n when one of n gets everything.
  package var jainIndex: Double? { Self.jainIndex(weighted) }

  /// The best-served tenant's service over weight to the worst's; nothing when one got none.
  package var spread: Double? {
    guard let most = weighted.max(), let least = weighted.min(), least > 0 else { return nil }
    return most / least
  }

  private var weighted: [Double] { tenants.map { Double($0.service) / $0.weight } }

  /// R. Jain, D. Chiu, W. Hawe, "A Quantitative Measure of Fairness", DEC-TR-301, 1984.
  static func jainIndex(_ shares: [Double]) -> Double? {
    let sum = shares.reduce(0, +)
    let squares = shares.reduce(0) { $0 + $1 * $1 }
    return squares > 0 ? sum * sum / (Double(shares.count) * squares) : nil
  }
}
