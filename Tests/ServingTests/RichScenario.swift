import EventKernel
import Execution
import Foundation
import Quantities
import Workloads

@testable import Serving

/// A random small replay of everything a request can be: classes of two tenants with priorities, objectives and timeouts,
/// impatient users, samples, adapters, shared and growing prefixes; on a replica with a prefix cache, swapping, few
/// adapters, or none of it.
struct RichScenario: CustomStringConvertible {
  let seed: Int
  let plain: Scenario
  let limits: ServingLimits
  let options: ReplicaOptions
  let classes: [RequestClass]
  /// Nanoseconds that arrivals and patience are counted in.
  let unit: Int

  init(seed: Int, stages: Int = 1) throws {
    self.seed = seed
    plain = try Scenario(seed: seed, stages: stages)
    var random = RandomStream(seed: UInt64(seed), name: "rich scenario")
    self.unit = plain.unit
    var limits = plain.limits
    limits.blocks += random.integer(below: 8)
    self.limits = limits
    options = Self.options(&random, unit: plain.unit)
    let unit = plain.unit
    let steps = { (count: Int) in Seconds(Double(count * unit) / 1e9) }
    classes = [
      RequestClass(
        name: "chat", tenant: "a", priority: 2,
        objective: ServiceObjective(timeToFirstToken: steps(20), endToEnd: steps(100))),
      RequestClass(name: "code", tenant: "a", priority: 1, objective: ServiceObjective(endToEnd: steps(60))),
      RequestClass(
        name: "batch", tenant: "b", weight: 2.7,
        timeout: random.integer(below: 2) == 0 ? steps(20 + random.integer(below: 300)) : nil),
    ]
  }

  private static func options(_ random: inout RandomStream, unit: Int) -> ReplicaOptions {
    var options = ReplicaOptions()
    if random.integer(below: 2) == 0 {
      options.preemption = .swap
      options.swapBlocks = random.integer(below: 3) == 0 ? 3 : 1000
      options.swapTime = random.integer(below: 2) == 0 ? .zero : Seconds(Double(unit) / 7e9)
    }
    options.prefixCache = random.integer(below: 3) > 0
    options.eviction = Eviction.allCases[random.integer(below: Eviction.allCases.count)]
    if random.integer(below: 3) == 0 {
      options.adapterSlots = 1 + random.integer(below: 2)
      options.adapterLoad = Seconds(Double(unit) / 3e9)
    }
    if random.integer(below: 4) == 0 {
      let acceptance = (0...random.integer(below: 3)).map { 0.9 - 0.2 * Double($0) }
      options.speculation = Speculation(acceptance: acceptance, batchLimit: 1 + random.integer(below: 8))
    }
    return options
  }

  /// The traffic, always the same; a source is used up by a run.
  func source(sessions: Bool = true) -> RichSource { RichSource(self, sessions: sessions) }

  func engine(_ scheduler: any Scheduler, manySteps: Bool = true, admission: String = "none") throws -> ServingEngine {
    var options = options
    options.takesManySteps = manySteps
    var plan = ClusterPlan(try ReplicaPlan(plain.deployment, limits: limits, options: options))
    plan.scheduler = scheduler
    plan.admission = try Admissions.make(admission)
    return try ServingEngine(plan)
  }

  var description: String { "rich seed \(seed): \(plain.clock) \(limits) \(options)" }
}

extension Scenario {
  var unit: Int { clock == .even ? 500_000 : 5_000 }
}

/// The traffic of a ``RichScenario``: single requests, and sessions whose prompts grow by their answers.
struct RichSource: RequestSource {
  let classes: [RequestClass]
  private let trees = PrefixForest()
  private let unit: Int
  private var requests: ArraySlice<Request> = []
  private(set) var all: [Request] = []

  var count: Int? { nil }
  var forest: PrefixForest? { trees }

  init(_ scenario: RichScenario, sessions: Bool) {
    classes = scenario.classes
    unit = scenario.unit
    var random = RandomStream(seed: UInt64(scenario.seed), name: "rich traffic")
    let roots = (0..<2).map { _ in trees.add() }
    for (index, plain) in scenario.plain.requests.enumerated() {
      var request = plain
      request.classIndex = UInt16(random.integer(below: classes.count))
      request.samples = random.integer(below: 6) == 0 ? UInt16(2 + random.integer(below: 2)) : 1
      request.adapter = random.integer(below: 3) == 0 ? nil : UInt16(random.integer(below: 4))
      if random.integer(below: 5) == 0 { request.patience = Int64((1 + random.integer(below: 200)) * unit) }
      let shared = min(request.inputTokens, 5 + random.integer(below: 30))
      let root = roots[random.integer(below: 2)]
      switch random.integer(below: sessions ? 3 : 2) {
      case 0: request.prompt = PromptIdentity(stream: root, tokens: Int32(shared))
      case 1: break
      default:
        let stream = trees.add(parent: root, fork: shared)
        request.session = Int32(index)
        request.prompt = PromptIdentity(
          stream: stream, tokens: Int32(request.inputTokens), answerContinues: true)
      }
      all.append(request)
    }
    requests = all[...]
  }

  mutating func next() -> Request? { requests.popFirst() }

  /// A session goes on until its prompt is long, or its user was let down.
  mutating func followUp(after request: Request, endedAt: Instant, completed: Bool) -> Request? {
    guard request.session >= 0, completed, request.inputTokens < 90 else { return nil }
    var random = RandomStream(seed: UInt64(request.session) << 16 + UInt64(request.inputTokens), name: "turn")
    var next = request
    let think = Int64(random.integer(below: 6) * unit)
    next.arrival = endedAt.adding(think) ?? endedAt
    next.inputTokens = request.inputTokens + request.outputTokens + 1 + random.integer(below: 10)
    next.outputTokens = 1 + random.integer(below: 20)
    next.prompt.tokens = Int32(next.inputTokens)
    return next
  }
}

/// Every policy of a list with its parameters at their standards, and each at its ends.
enum PolicyVariations {
  /// Formulas that order requests in every way there is, awkward ones among them.
  private static let formulas = [
    "input_tokens", "-waited", "tenant_service - 3*priority", "computed_tokens", "-preemptions", "-generated_tokens",
    "if(waited > 0.01, 0, 1/0)", "0/0", "min(deadline, first_token_deadline) - now", "predicted_tokens",
  ]

  static func texts(_ descriptions: [PolicyDescription]) -> [String] { descriptions.flatMap(texts) }

  private static func texts(_ description: PolicyDescription) -> [String] {
    guard let first = description.parameters.first else { return [description.name] }
    guard case .text = first.kind else {
      return [description.name] + description.parameters.flatMap { ends($0) }.map { "\(description.name):\($0)" }
    }
    return formulas.flatMap { formula in
      let lengths = formula.contains("predicted") ? ",lengths=ranked" : ""
      return ["no", "yes"].map { "\(description.name):\(formula)\(lengths),preempt=\($0)" }
    }
  }

  private static func ends(_ parameter: PolicyParameter) -> [String] {
    let values: [String]
    switch parameter.kind {
    case .number(let range, _): values = ["\(range.lowerBound)", "\(range.upperBound)"]
    case .whole(let range, _): values = ["\(range.lowerBound)", "\(range.upperBound)"]
    case .choice(let words, _): values = words
    case .text: values = []
    }
    return values.map { "\(parameter.name)=\($0)" }
  }

  /// How often as many random scenarios as usual are tried; more by hand, to look for rare faults.
  static let thoroughness = ProcessInfo.processInfo.environment["RIDGELINE_SCENARIOS"].flatMap { Int($0) } ?? 1
}
