import CostModels
import Execution
import Serving
import Workloads

/// Replays served runs of one deployment through the serving engine.
struct ServedReplay {
  private let deployment: Deployment
  private let costs: StepTable

  /// - Throws: ``ReplayError`` for plans that the engine cannot replay.
  init(_ deployment: Deployment) throws(ReplayError) {
    self.deployment = deployment
    costs = try StepTable(deployment, perRank: true)
  }

  /// What became of every request, in their order; data-parallel ranks are taken to fare alike, so one is replayed.
  /// - Throws: ``ServingError`` when the runtime has no room for the model, or what the traffic throws.
  func records(_ run: ServedRun, _ batch: BatchCase) throws -> [RequestRecord] {
    var options = ReplicaOptions()
    options.prefixCache = run.prefixCache
    let batching = deployment.runtime.chunkedPrefill ? nil : Batching(.prefillFirst)
    let replica = try ReplicaPlan(
      deployment, limits: limits(run), options: options, batching: batching, costs: costs)
    var engine = try ServingEngine(ClusterPlan(replica))
    var source = source(run, batch)
    var records: [RequestRecord] = []
    _ = try engine.run(&source, observer: ServingEngine.Observer(onEnd: { records.append($0) }))
    return records.sorted { $0.id < $1.id }
  }

  private func limits(_ run: ServedRun) -> ServingLimits {
    var limits = ServingLimits(deployment)
    if let tokens = run.maxBatchedTokens { limits.maxBatchedTokens = tokens }
    if let sequences = run.maxSequences { limits.maxSequences = sequences }
    if let blocks = run.blocks { limits.blocks = blocks }
    return limits
  }

  private func source(_ run: ServedRun, _ batch: BatchCase) -> any RequestSource {
    switch run.requests {
    case .burst:
      let one = Request(arrival: .zero, inputTokens: batch.inputTokens, outputTokens: batch.outputTokens)
      let ranks = deployment.parallelism.data
      return KnownRequests(Array(repeating: one, count: (batch.sequences + ranks - 1) / ranks))
    case .traffic(let traffic, let count): return TrafficGenerator(traffic, seed: 1, requests: count)
    case .logged(let requests): return KnownRequests(requests)
    }
  }
}

/// Latencies of replayed requests in seconds.
extension MetricValues {
  /// Of one request.
  init(_ record: RequestRecord) {
    self.init(
      endToEnd: Double(record.endToEnd) / 1e9, firstToken: Double(record.timeToFirstToken) / 1e9,
      perToken: record.timePerOutputToken.map { Double($0) / 1e9 })
  }

  /// Means over requests; nothing unless all completed.
  init(meansOf records: [RequestRecord]) {
    self.init()
    guard !records.isEmpty, records.allSatisfy({ $0.outcome == .completed }) else { return }
    let each = records.map { MetricValues($0) }
    for metric in [Metric.endToEnd, .firstToken, .perToken] {
      let values = each.compactMap { $0[metric] }
      if !values.isEmpty { self[metric] = values.reduce(0, +) / Double(values.count) }
    }
  }

  /// Of a batch that arrives at once: until its last request ends; nothing unless all completed.
  init(batchOf records: [RequestRecord]) {
    self.init()
    guard records.allSatisfy({ $0.outcome == .completed }) else { return }
    self[.endToEnd] = records.map { Double($0.endToEnd) / 1e9 }.max()
  }
}
