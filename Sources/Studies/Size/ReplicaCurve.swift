import CostModels
import EventKernel
import Execution
import ModelGraph
import Quantities
import Statistics

/// What one replica does under load, in closed form: decode steps by batch, and the time of a prompt.
///
/// Prompts take a share of the replica's time and stretch what decodes are left with; the number that decode follows from
/// Little's law. Tails come from the spread of a Poisson number of sequences and of prompts in an answer, waiting from the
/// two-moment formula for one server (J. F. C. Kingman, 1961). It ranks candidates; the serving engine judges them.
struct ReplicaCurve: Sendable {
  let deployment: Deployment
  let demand: DemandSample
  /// Most sequences that memory holds at their mean length.
  let roomFor: Int
  /// Why it cannot serve the demand at all; nothing when it can.
  let obstacle: String?
  private let batches: [Int]
  private let stepTimes: [Double]
  private let promptTime: Double
  private let highPromptTime: Double

  static let batchLimits = [1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024]

  /// - Complexity: As pricing twenty steps.
  init(_ deployment: Deployment, _ demand: DemandSample) {
    self.deployment = deployment
    self.demand = demand
    let ledger = deployment.memoryLedger()
    let spans = deployment.graph.spans
    obstacle = Self.obstacle(deployment, demand, ledger)
    roomFor = obstacle == nil ? ledger.largestBatch(tokens: Int(demand.meanStored.rounded(.up))) : 0
    batches = Self.batchLimits
    guard obstacle == nil else {
      (stepTimes, promptTime, highPromptTime) = ([], 0, 0)
      return
    }
    let context = max(1, Int(demand.meanContext.rounded()))
    stepTimes = batches.map {
      deployment.steadyPrice(StepShape.decode(sequences: $0, context: context, spans: spans)).time.value
    }
    promptTime = Self.promptTime(deployment, Int(demand.meanInput.rounded())).busy
    highPromptTime = Self.promptTime(deployment, demand.highInput).whole
  }

  private static func obstacle(_ deployment: Deployment, _ demand: DemandSample, _ ledger: MemoryLedger) -> String? {
    if let limit = deployment.model.contextLimit, demand.longest > limit {
      return "requests of \(demand.longest) tokens exceed the model's \(limit)"
    }
    guard ledger.weightsFit else { return "weights miss \(ledger.missing) on each device" }
    guard ledger.largestBatch(tokens: demand.longest) > 0 else {
      return "the cache of the longest request, \(demand.longest) tokens, does not fit"
    }
    return nil
  }

  /// One prompt, in chunks of the runtime's budget: how long it keeps the slowest stage busy, and how long it takes.
  private static func promptTime(_ deployment: Deployment, _ tokens: Int) -> (busy: Double, whole: Double) {
    let budget = deployment.runtime.maxBatchedTokens
    let spans = deployment.graph.spans
    func times(_ step: StepShape) -> (busy: Double, whole: Double) {
      let price = deployment.price(step)
      let hasStages = deployment.parallelism.pipeline > 1
      return (hasStages ? price.bottleneck.value : price.deviceTime.value, price.deviceTime.value)
    }
    guard deployment.runtime.chunkedPrefill, tokens > budget else {
      return times(StepShape.prefill(sequences: 1, tokens: max(1, tokens), spans: spans))
    }
    // Chunks cost linearly more the later they are: the middle one stands for all.
    let chunks = Double(tokens) / Double(budget)
    let middle = times(
      StepShape.prefill(
        sequences: 1, tokens: budget, start: max(0, (tokens - budget) / 2), last: false, spans: spans))
    return (middle.busy * chunks, middle.whole * chunks)
  }

  /// Time of a decode step of so many sequences, between the priced batches as a straight line.
  private func step(_ batch: Double) -> Double {
    var index = 0
    while index < batches.count - 2, Double(batches[index + 1]) < batch { index += 1 }
    let (low, high) = (Double(batches[index]), Double(batches[index + 1]))
    return stepTimes[index] + (stepTimes[index + 1] - stepTimes[index]) * max(0, batch - low) / (high - low)
  }

  // MARK: Under load

  /// Latencies at a rate, all at the shares the objectives name.
  struct State {
    var batch: Double
    /// Share of the time that prompts take.
    var promptShare: Double
    var meanStep: Double
  }

  /// What a replica is for.
  enum Role: Sendable { case mixed, prefill, decode }

  /// The state at a request rate; nothing where requests pile up or exceed the batch limit.
  func state(_ rate: Double, limit: Int, role: Role) -> State? {
    let prompts = role == .decode ? 0 : rate * promptTime
    guard prompts < 0.95 else { return nil }
    guard role != .prefill else { return State(batch: 0, promptShare: prompts, meanStep: 0) }
    let most = Double(min(limit, roomFor))
    guard most >= 1 else { return nil }
    func needed(_ batch: Double) -> Double { rate * demand.meanOutput * step(batch) / (1 - prompts) }
    guard needed(most) <= most else { return nil }
    var (low, high) = (0.0, most)
    for _ in 0..<24 {
      let middle = (low + high) / 2
      if needed(middle) > middle { low = middle } else { high = middle }
    }
    return State(batch: high, promptShare: prompts, meanStep: step(high))
  }

  /// A latency that a share of requests do not exceed.
  func latency(_ objective: SizeObjective, _ state: State, rate: Double, limit: Int, role: Role, transfer: Double)
    -> Double
  {
    let z = max(0, NormalQuantile.of(min(0.9999, max(0.5, objective.share))))
    switch objective.metric {
    case .timeToFirstToken: return firstToken(state, rate, objective.share, role) + transfer
    case .timePerOutputToken: return perToken(state, rate, z, limit, role)
    case .endToEnd:
      return firstToken(state, rate, objective.share, role) + transfer
        + perToken(state, rate, 0, limit, role) * Double(demand.highOutput)
    }
  }

  private func firstToken(_ state: State, _ rate: Double, _ share: Double, _ role: Role) -> Double {
    let own = highPromptTime + state.meanStep + deployment.pricer.constants[.stepOverhead]
    guard role != .decode, state.promptShare > 0 else { return own }
    let service = promptTime / (1 - (role == .mixed ? min(0.5, decodeShare(state)) : 0))
    let load = min(0.99, rate * service)
    let wait = load / (1 - load) * (demand.gapVariation + demand.inputVariation) / 2 * service
    // Waits are about exponential, with the load as the chance of any.
    let tail = max(0, wait / max(load, 1e-9) * -logarithm((1 - share) / max(load, 1 - share)))
    // Half a step on average; with stages, at most until the first is free.
    return own + max(state.meanStep / 2, tail)
  }

  /// Share of a mixed step that decodes take beside a prompt.
  private func decodeShare(_ state: State) -> Double {
    state.meanStep / (state.meanStep + promptTime)
  }

  private func perToken(_ state: State, _ rate: Double, _ z: Double, _ limit: Int, _ role: Role) -> Double {
    let most = Double(min(limit, roomFor))
    let batch = min(most, state.batch + z * state.batch.squareRoot())
    let mean = step(batch) / (1 - state.promptShare)
    guard role == .mixed, promptTime > 0 else { return mean }
    let during = rate * demand.meanOutput * mean
    let prompts = during + z * during.squareRoot()
    return step(batch) + prompts * promptTime / max(1, demand.meanOutput)
  }

  private func logarithm(_ value: Double) -> Double { PortableMath.log(max(value, .leastNormalMagnitude)) }
}
