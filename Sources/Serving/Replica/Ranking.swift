import Workloads

/// What a replica's scheduler ranks requests by: the policy, the classes' facts, and the service tenants have had.
struct Ranking {
  let scheduler: any Scheduler
  /// Facts of each class, by its index.
  let classes: [ClassFacts]
  let tenants: Int
  private(set) var service: [Double]
  /// Tenants' sequences that decode now.
  private var decoding: [Int]
  /// Whether service is counted at all.
  let countsService: Bool
  /// How fair-share policies weigh tokens: an output token costs about as much as two of a prompt (virtual token
  /// counter, Sheng et al., OSDI 2024).
  private static let inputWeight = 1.0
  private static let outputWeight = 2.0

  struct ClassFacts {
    var tenant: Int
    var weight: Double
    var priority: Int
    var firstToken: Int64?
    var endToEnd: Int64?
  }

  init(_ scheduler: any Scheduler, _ classes: [RequestClass]) {
    self.scheduler = scheduler
    var names: [String] = []
    self.classes = classes.map { item in
      if !names.contains(item.tenant) { names.append(item.tenant) }
      return ClassFacts(
        tenant: names.firstIndex(of: item.tenant) ?? 0, weight: item.weight, priority: item.priority,
        firstToken: item.objective.timeToFirstToken.map { Int64($0.value * 1e9) },
        endToEnd: item.objective.endToEnd.map { Int64($0.value * 1e9) })
    }
    tenants = names.count
    service = Array(repeating: 0, count: tenants)
    decoding = Array(repeating: 0, count: tenants)
    if case .tenants = scheduler.line { countsService = true } else { countsService = false }
  }

  func tenant(_ live: LiveRequest) -> Int { tenants == 1 ? 0 : classes[Int(live.request.classIndex)].tenant }

  /// What the scheduler may know.
  /// - Parameter generated: Tokens of the answer so far.
  func view(_ live: LiveRequest, generated: Int, now: Int64) -> RequestView {
    let facts = classes[Int(live.request.classIndex)]
    return RequestView(
      now: now, arrival: live.arrival, inputTokens: live.inputTokens, computedTokens: live.computed,
      generatedTokens: generated, predictedTokens: live.predicted, priority: facts.priority,
      tenantWeight: facts.weight, tenantService: service[facts.tenant],
      firstTokenDeadline: facts.firstToken.map { live.arrival + $0 },
      deadline: facts.endToEnd.map { live.arrival + $0 },
      preemptions: live.preemptions)
  }

  func place(_ live: LiveRequest, row: Int32, now: Int64) -> WaitingLine.Place {
    WaitingLine.Place(
      key: scheduler.key(view(live, generated: live.generated, now: now)), order: Int64(live.id), row: row)
  }

  // MARK: Service

  mutating func prefilled(_ live: LiveRequest, tokens: Int) {
    if countsService { serve(tenant(live), Self.inputWeight * Double(tokens), live) }
  }

  mutating func decoded(_ live: LiveRequest) { if countsService { serve(tenant(live), Self.outputWeight, live) } }

  mutating func joined(_ live: LiveRequest) { if countsService { decoding[tenant(live)] += 1 } }

  mutating func left(_ live: LiveRequest) { if countsService { decoding[tenant(live)] -= 1 } }

  /// Every decoding sequence got so many tokens.
  mutating func decodedAll(steps: Int) {
    guard countsService else { return }
    for tenant in service.indices {
      service[tenant] += Self.outputWeight * Double(decoding[tenant] * steps) / weight(tenant)
    }
  }

  /// A tenant that comes back does not live on the service it did not ask for: its count is raised to the least of the
  /// active ones.
  mutating func becomesActive(_ live: LiveRequest, active: (Int) -> Bool) {
    guard countsService else { return }
    let tenant = tenant(live)
    guard !active(tenant) else { return }
    let others = service.indices.filter { $0 != tenant && active($0) }.map { service[$0] }
    if let least = others.min() { service[tenant] = max(service[tenant], least) }
  }

  private mutating func serve(_ tenant: Int, _ tokens: Double, _ live: LiveRequest) {
    service[tenant] += tokens / weight(tenant)
  }

  private func weight(_ tenant: Int) -> Double { classes.first { $0.tenant == tenant }?.weight ?? 1 }
}
