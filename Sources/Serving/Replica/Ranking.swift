import Quantities
import Workloads

/// What a replica's scheduler ranks requests by: the policy, the classes' facts, and the service tenants have had.
struct Ranking {
  let scheduler: any Scheduler
  /// Facts of each class, by its index.
  let classes: [ClassFacts]
  let tenants: Int
  /// Each tenant's weight: that of its first class.
  private let weights: [Double]
  /// Weighted tokens each tenant was served, whole so that many steps at once add up to the same as one by one, and
  /// what it was raised by when it came back.
  private var served: [Int]
  private var raised: [Double]
  /// Tenants' sequences that decode now.
  private var decoding: [Int]
  /// Whether service is counted at all.
  let countsService: Bool
  /// How fair-share policies weigh tokens: an output token costs about as much as two of a prompt (virtual token
  /// counter, Sheng et al., OSDI 2024).
  private static let inputWeight = 1
  private static let outputWeight = 2

  struct ClassFacts {
    var tenant: Int
    var priority: Int
    /// Objectives in nanoseconds after arrival.
    var firstToken: Int64?
    var endToEnd: Int64?
  }

  init(_ scheduler: any Scheduler, _ classes: [RequestClass]) {
    self.scheduler = scheduler
    var names: [String] = []
    var weights: [Double] = []
    self.classes = classes.map { item in
      if !names.contains(item.tenant) {
        names.append(item.tenant)
        weights.append(item.weight)
      }
      return ClassFacts(
        tenant: names.firstIndex(of: item.tenant) ?? 0, priority: item.priority,
        firstToken: item.objective.timeToFirstToken.map(Self.nanoseconds),
        endToEnd: item.objective.endToEnd.map(Self.nanoseconds))
    }
    self.weights = weights
    tenants = names.count
    served = Array(repeating: 0, count: tenants)
    raised = Array(repeating: 0, count: tenants)
    decoding = Array(repeating: 0, count: tenants)
    countsService = scheduler.countsService
  }

  /// Objectives beyond the clock are never due.
  private static func nanoseconds(_ time: Seconds) -> Int64 { Int64(min(4e18, max(0, time.value * 1e9))) }

  func tenant(_ classIndex: UInt16) -> Int { tenants == 1 ? 0 : classes[Int(classIndex)].tenant }

  /// What the scheduler may know.
  /// - Parameters:
  ///   - generated: Tokens of the answer so far.
  ///   - computed: Tokens in cache.
  func view(_ live: LiveRequest, generated: Int, computed: Int, now: Int64) -> RequestView {
    let facts = classes[Int(live.request.classIndex)]
    return RequestView(
      now: now, arrival: live.arrival, inputTokens: live.inputTokens, computedTokens: computed,
      generatedTokens: generated, predictedTokens: live.predicted, priority: facts.priority,
      tenantWeight: weights[facts.tenant], tenantService: countsService ? service(facts.tenant) : 0,
      firstTokenDeadline: facts.firstToken.map { due(live.arrival, $0) },
      deadline: facts.endToEnd.map { due(live.arrival, $0) }, preemptions: live.preemptions)
  }

  private func due(_ arrival: Int64, _ objective: Int64) -> Int64 {
    let (time, overflow) = arrival.addingReportingOverflow(objective)
    return overflow ? .max : time
  }

  /// The place of a request that waits.
  func place(_ live: LiveRequest, row: Int32, now: Int64) -> WaitingLine.Place {
    place(live, row: row, generated: live.generated, computed: live.computed, now: now)
  }

  func place(_ live: LiveRequest, row: Int32, generated: Int, computed: Int, now: Int64) -> WaitingLine.Place {
    WaitingLine.Place(
      key: scheduler.key(view(live, generated: generated, computed: computed, now: now)), order: Int64(live.id),
      row: row)
  }

  // MARK: Service

  /// Weighted tokens a tenant was served over its weight.
  private func service(_ tenant: Int, decodeSteps: Int = 0) -> Double {
    let tokens = served[tenant] + Self.outputWeight * decoding[tenant] * decodeSteps
    return raised[tenant] + Double(tokens) / weights[tenant]
  }

  mutating func prefilled(_ classIndex: UInt16, tokens: Int) {
    if countsService { served[tenant(classIndex)] += Self.inputWeight * tokens }
  }

  mutating func decoded(_ classIndex: UInt16, tokens: Int = 1) {
    if countsService { served[tenant(classIndex)] += Self.outputWeight * tokens }
  }

  mutating func joined(_ classIndex: UInt16) { if countsService { decoding[tenant(classIndex)] += 1 } }

  mutating func left(_ classIndex: UInt16) { if countsService { decoding[tenant(classIndex)] -= 1 } }

  /// Every decoding sequence got so many tokens.
  mutating func decodedAll(steps: Int) {
    guard countsService else { return }
    for tenant in served.indices { served[tenant] += Self.outputWeight * decoding[tenant] * steps }
  }

  /// A tenant that comes back does not live on the service it did not ask for: its count is raised to the least of the
  /// active ones, or after everybody was gone, to the greatest.
  /// - Parameter decodeSteps: Steps of decodes taken but not yet booked.
  mutating func becomesActive(_ tenant: Int, decodeSteps steps: Int, active: (Int) -> Bool) {
    let others = served.indices.filter { $0 != tenant }
    let least = others.filter(active).map { service($0, decodeSteps: steps) }.min()
    let floor = least ?? others.map { service($0) }.max() ?? 0
    raised[tenant] += max(0, floor - service(tenant))
  }
}
