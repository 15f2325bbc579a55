import CostModels
import Documents
import Execution
import ModelGraph
import Quantities
import Techniques

/// Evaluates one side of a claim.
package struct ClaimEvaluator: Sendable {
  package let library: Library
  private let scenarios: ScenarioRunner

  package init(library: Library) {
    self.library = library
    scenarios = ScenarioRunner(ScenarioBuilder(library: library))
  }

  /// - Throws: `DataError` for settings that do not make a plan, and what deployments and predictions throw.
  func value(_ metric: ClaimMetric, of plan: ClaimPlan) throws -> Double {
    if let replayed = metric.replayed { return try replay(replayed, plan) }
    let deployment = try deployment(plan)
    switch metric {
    case .kernelTime, .kernelRate:
      let (time, flops) = try kernel(plan, deployment)
      return metric == .kernelTime ? time.value : (flops / time).value
    case .stepTime, .attentionShare, .hostShare, .bandwidthShare, .launchTime, .distinctExperts, .transferShare,
      .storageShare:
      return try step(metric, plan, deployment)
    case .weights, .cache, .activations, .wideActivations, .memory, .deviceMemory, .cachePerToken, .state,
      .largestBatch, .longestContext:
      return try memory(metric, plan, deployment)
    case .layerMACs: return try Self.layerMACs(deployment.graph, tokens: prompt(plan, deployment))
    case .activeParameters: return Double(deployment.model.activeParameterCount)
    case .promptTokens:
      let batch = try batch(plan, deployment)
      return Double(batch.prompts * batch.inputTokens)
    default: return try Self.value(metric, predicted(plan, deployment), deployment, batch(plan, deployment))
    }
  }

  // MARK: Static batches

  package func deployment(_ plan: ClaimPlan) throws -> Deployment {
    var request = try plan.request()
    request.plan = try plan.optional("place").map(placement)
    guard let kernel = plan.optional("kernel") else {
      return try library.deployment(request, adjustments: plan.adjustments())
    }
    return try library.deployment(request, of: KernelShape(kernel).model, adjustments: plan.adjustments())
  }

  /// A plan by name, or a table of the plan it is `like` and what it has in its place.
  private func placement(_ node: Node) throws -> PlacementPlan {
    guard case .object = node.value else {
      let name = try Located(node)
      return try name.resolved { try library.plans.find($0) }
    }
    let base = try Located(node.object().required("like"))
    return try base.resolved { try library.plans.find($0) }.overridden(by: node, sources: nil)
  }

  package func batch(_ plan: ClaimPlan, _ deployment: Deployment) throws -> BatchCase {
    let input = try plan.required("input").int(in: BatchCase.tokenRange)
    let output = try plan.optional("output")?.int(in: BatchCase.tokenRange) ?? 1
    var batch = BatchCase(sequences: 1, inputTokens: input, outputTokens: output)
    let node = try plan.required("batch")
    if case .string("largest") = node.value {
      let largest = Predictor(deployment).ledger.largestBatch(deployment.rewritten(batch))
      guard (1...1_000_000).contains(largest) else { throw plan.error("has a largest batch of \(largest)") }
      batch.sequences = max(1, largest * deployment.parallelism.data / deployment.workload.samples)
    } else {
      batch.sequences = try node.int(in: BatchCase.sequenceRange)
    }
    return deployment.rewritten(batch)
  }

  package func predicted(_ plan: ClaimPlan, _ deployment: Deployment) throws -> Prediction {
    let rounds = try plan.optional("rounds")?.bool() ?? false
    return try Predictor(deployment).predict(batch(plan, deployment), overflow: rounds ? .waves : .refuse)
  }

  private static func value(
    _ metric: ClaimMetric, _ prediction: Prediction, _ deployment: Deployment, _ batch: BatchCase
  ) throws -> Double {
    let devices = Double(deployment.parallelism.devices)
    let tokens = Double(batch.sequences * batch.outputTokens)
    switch metric {
    case .ttft: return prediction.ttft.value
    case .tpot: return prediction.tpot?.value ?? .nan
    case .e2e: return prediction.endToEnd.value
    case .outputRate: return prediction.outputRate
    case .totalRate: return prediction.totalRate
    case .decodeRate:
      // A batch that is served in rounds decodes a round at a time.
      return prediction.tpot.map { Double(batch.sequences) / Double(prediction.waves) / $0.value } ?? .nan
    case .inputRate: return Double(batch.prompts * batch.inputTokens) / prediction.ttft.value
    case .requestRate: return Double(batch.sequences) / prediction.endToEnd.value
    case .outputRatePerDevice: return prediction.outputRate / devices
    case .powerPerDevice: return prediction.power.value / devices
    case .energyPerToken: return prediction.energy.value / tokens
    case .pricePerMillion: return deployment.price(of: prediction.endToEnd).map { $0.value / tokens * 1e6 } ?? .nan
    default: return .nan
    }
  }

  // MARK: Memory

  private func memory(_ metric: ClaimMetric, _ plan: ClaimPlan, _ deployment: Deployment) throws -> Double {
    let ledger = Predictor(deployment).ledger
    switch metric {
    case .weights: return ledger.weights.value
    case .cachePerToken: return deployment.graph.footprint.kvPerTokenEveryLayer.value
    case .state: return deployment.graph.footprint.statePerSequence.value
    case .longestContext:
      let sequences = try plan.optional("batch")?.int(in: BatchCase.sequenceRange) ?? 1
      return Double(try longestContext(deployment, sequences, plan))
    default: break
    }
    let batch = try batch(plan, deployment)
    let cache = ledger.cache(of: batch) * Double(batch.sequences.dividedUp(by: deployment.parallelism.data))
    let tokens = min(batch.prompts * batch.inputTokens, deployment.runtime.maxBatchedTokens)
    let alive = deployment.graph.liveActivations(tokens: tokens, sampled: batch.prompts)
    switch metric {
    case .largestBatch: return Double(ledger.largestBatch(batch) * deployment.parallelism.data)
    case .cache: return cache.value
    case .activations: return alive.value
    case .wideActivations:
      let stream = deployment.plan.formats.stream.size(of: Double(2 * deployment.model.hidden * tokens))
      return (alive - stream).value - 4 * Double(batch.prompts * deployment.model.vocabulary)
    case .deviceMemory: return (ledger.weights + cache + alive + ledger.reserved).value
    default: return (ledger.weights + cache + alive).value
    }
  }

  /// The longest prompt whose cache and own activations fit, whatever the runtime would reserve.
  private func longestContext(_ deployment: Deployment, _ sequences: Int, _ plan: ClaimPlan) throws -> Int {
    let ledger = Predictor(deployment).ledger
    let room = ledger.usable - ledger.weights - ledger.reserved
    let chunk = deployment.runtime.maxBatchedTokens
    func fits(_ tokens: Int) -> Bool {
      let alive = deployment.graph.liveActivations(tokens: min(tokens, chunk), sampled: 1)
      return ledger.cache(tokens: tokens) * Double(sequences) + alive <= room
    }
    guard fits(1) else { throw plan.error("does not even hold one token") }
    var (low, high) = (1, 1 << 32)
    while low < high {
      let middle = (low + high + 1) / 2
      if fits(middle) { low = middle } else { high = middle - 1 }
    }
    return low
  }

  // MARK: Steps

  /// Decodes, and chunks of prompts, as the plan's `step` says.
  package func shape(_ plan: ClaimPlan, _ deployment: Deployment) throws -> StepShape {
    try plan.required("step").strictObject { block in
      let decodes = try block.optionalInt("decodes", in: 0...1_000_000) ?? 0
      let context = try block.optionalInt("context", in: 1...1_000_000_000) ?? 1
      var shape = StepShape.decode(sequences: decodes, context: context, spans: deployment.graph.spans)
      if let tokens = try block.optionalInt("prompt", in: 1...100_000_000) {
        shape.addPrefill(
          sequences: try block.optionalInt("prompts", in: 1...1_000_000) ?? 1, tokens: tokens,
          start: try block.optionalInt("after", in: 0...1_000_000_000) ?? 0,
          last: try block.optionalBool("last") ?? true, spans: deployment.graph.spans)
      }
      return shape
    }
  }

  private func step(_ metric: ClaimMetric, _ plan: ClaimPlan, _ deployment: Deployment) throws -> Double {
    let shape = try shape(plan, deployment)
    let operators = deployment.pricedOperators(shape)
    let price = deployment.price(operators, shape)
    switch metric {
    case .attentionShare:
      return operators.filter { $0.work.name.hasPrefix("attention") }.reduce(0) { $0 + $1.totalTime.value }
        / price.time.value
    case .hostShare: return (price.time - price.deviceTime) / price.time
    case .bandwidthShare:
      return price.traffic.value / price.time.value / (deployment.platform.device.mainMemory?.bandwidth ?? .zero).value
    case .transferShare: return exposed([.copy, .link, .storage], shape, deployment)
    case .storageShare: return exposed([.storage], shape, deployment)
    case .launchTime: return deployment.pricer.constants[.launch]
    case .distinctExperts:
      return operators.compactMap { item in
        if case .expertGEMM(let shape) = item.work.kind { shape.activeExperts } else { nil }
      }.first ?? .nan
    default:
      return shape.prefillTokens > 0 ? price.time.value : deployment.tokenCost(shape).time.value
    }
  }

  /// Share of a planned step that waits for resources of some kinds; none of it where everything is on one device.
  private func exposed(_ kinds: [ScheduleResource.Kind], _ shape: StepShape, _ deployment: Deployment) -> Double {
    guard let placement = deployment.placement else { return 0 }
    let waiting = placement.schedule(shape).usage.filter { kinds.contains($0.kind) }
      .reduce(Seconds.zero) { $0 + $1.exposed }
    return waiting / deployment.price(shape).time
  }

  // MARK: The model alone

  private func prompt(_ plan: ClaimPlan, _ deployment: Deployment) throws -> Int {
    try batch(plan, deployment).inputTokens
  }

  /// Multiply-accumulates of the layers over a prompt, every query with every key, as publications on image tokens count.
  static func layerMACs(_ graph: OperatorGraph, tokens: Int) -> Double {
    let step = StepShape.prefill(sequences: 1, tokens: tokens, spans: graph.spans)
    return graph.operators(for: step).reduce(0) { sum, work in
      let macs = work.flops.value * Double(work.count) / 2
      switch work.kind {
      case .prefillAttention(let shape): return sum + macs * 2 * Double(shape.tokens) / Double(shape.tokens + 1)
      case .gemm where work.scope == .tokens && work.name != "lm_head": return sum + macs
      default: return sum
      }
    }
  }

  // MARK: One operator

  private func kernel(_ plan: ClaimPlan, _ deployment: Deployment) throws -> (Seconds, FLOPs) {
    let shape = try KernelShape(plan.required("kernel"))
    // A kernel by itself has its keys and values given; it does not also write them to a cache.
    let time = deployment.graph.operators(for: shape.step(deployment.graph.spans)).filter(shape.includes)
      .reduce(Seconds.zero) { sum, work in
        var work = work
        work.traffic.kvWritten = .zero
        return sum + deployment.pricer.price(work).time * Double(work.count)
      }
    return (time, FLOPs(shape.flops))
  }

  // MARK: Replays

  private func replay(_ metric: RunMetric, _ plan: ClaimPlan) throws -> Double {
    guard let value = try replayed(plan)[metric] else { throw plan.error("has no \(metric.rawValue)") }
    return value
  }

  /// A plan's scenario, run.
  func replayed(_ plan: ClaimPlan) throws -> RunSummary {
    let node = try plan.required("scenario")
    var scenario: Scenario
    if case .string = node.value {
      let name = try Located(node)
      scenario = try name.resolved { try library.scenarios().find($0) }
    } else {
      scenario = try ScenarioFile.scenario(node, name: nil)
    }
    if let model = plan.optional("model") { scenario.model = try Located(model) }
    if let hardware = plan.optional("hardware") { scenario.replica.hardware = try Located(hardware) }
    if let runtime = plan.optional("runtime") { scenario.replica.runtime = try Located(runtime) }
    if let with = plan.optional("with") { scenario.replica.techniques = try with.array().map(Located.init) }
    let outcome = try scenarios.run(scenario)
    return RunSummary(outcome, requests: 0..<outcome.series.count)
  }
}
