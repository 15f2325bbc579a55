import CostModels
import Documents
import Execution
import ModelGraph
import Quantities
import Serving

extension SizeCandidate {
  /// The scenario in which the serving engine judges it.
  /// - Parameters:
  ///   - replicas, prefill: In place of its own counts.
  func scenario(_ request: SizeRequest, requests: Int, replicas: Int, prefill: Int) -> Scenario {
    var scenario = request.scenario
    scenario.name = "size"
    scenario.model = Located(model)
    scenario.replica.hardware = Located(hardware)
    scenario.replica.runtime = request.runtime
    scenario.replica.formats = formats
    scenario.replica.limits.maxSequences = batchLimit
    scenario.router = scenario.router ?? Located("least-outstanding")
    scenario.traffic.requests = requests
    guard let prefillParallelism else {
      scenario.replica.parallelism = parallelism
      scenario.replicas = replicas
      return scenario
    }
    scenario.pools = [
      pool("prompts", .prefill, prefill, prefillParallelism), pool("answers", .decode, replicas, parallelism),
    ]
    return scenario
  }

  private func pool(_ name: String, _ role: ReplicaOptions.Role, _ count: Int, _ parallelism: Parallelism)
    -> PoolSettings
  {
    var pool = PoolSettings(name: name)
    pool.role = role
    pool.replicas = count
    pool.replica.parallelism = parallelism
    // A replica that takes prompts holds as many as come; the limit is for answers.
    if role == .prefill { pool.replica.limits.maxSequences = 256 }
    return pool
  }
}

/// What a replay says of a deployment.
package struct SizeTrial: Sendable {
  package var replicas: Int
  package var prefillReplicas: Int
  /// Each objective with what was reached at its share, as seconds; infinite where too few requests ended.
  package var reached: [(objective: SizeObjective, value: Double)]
  /// Share of readers with fluid answers; nothing where not asked for.
  package var fluidShare: Double?
  package var wantsFluid: Double?
  package var isSaturated: Bool
  package var summary: RunSummary
  package var energy: Joules
  package var duration: Seconds
  package var outputTokens: Int
  package var inputTokens: Int

  package var meets: Bool {
    !isSaturated && reached.allSatisfy { $0.value <= $0.objective.limit.value }
      && (wantsFluid.map { (fluidShare ?? 0) >= $0 } ?? true)
  }

  /// The objective that is nearest to its limit, or most beyond it, with the share of the limit.
  package var binding: (objective: SizeObjective, load: Double)? {
    reached.map { ($0.objective, $0.value / $0.objective.limit.value) }.max { $0.1 < $1.1 }
      .map { (objective: $0.0, load: $0.1) }
  }

  package var power: Watts { duration > .zero ? energy / duration : .zero }
}

/// Replays candidates and finds how many replicas they need.
struct SizeJudge: Sendable {
  let request: SizeRequest
  let runner: ScenarioRunner
  /// Of each replay.
  let requests: Int
  /// Called for each replay.
  let onTrial: @Sendable () -> Void

  /// - Throws: What ``ScenarioRunner`` throws.
  func trial(_ candidate: SizeCandidate, replicas: Int, prefill: Int, loadFactor: Double = 1) throws -> SizeTrial {
    onTrial()
    try runner.checkStop()
    let scenario = candidate.scenario(request, requests: requests, replicas: replicas, prefill: prefill)
    let judge: RequestJudge =
      request.objectives.fluidShare == nil ? .objectives : .fluidity(FluidityOptions(), mostMisses: 0.1)
    let run = try runner.run(scenario, loadFactor: loadFactor, judge: judge)
    let first = min(run.warmUp(scenario.warmUp), run.series.count - 1)
    let range = first..<run.series.count
    let reached = request.objectives.limits.map { ($0, Self.reached($0, run.series, range)) }
    let fluid = request.objectives.fluidShare.map { _ in
      Double(range.count { run.series.good[$0] }) / Double(range.count)
    }
    return SizeTrial(
      replicas: replicas, prefillReplicas: prefill, reached: reached, fluidShare: fluid,
      wantsFluid: request.objectives.fluidShare,
      isSaturated: run.result.metrics.saturation.verdict == .saturated, summary: RunSummary(run, requests: range),
      energy: run.result.energy, duration: run.result.duration, outputTokens: run.result.metrics.outputTokens,
      inputTokens: run.result.metrics.inputTokens)
  }

  /// The value that the objective's share of all requests do not exceed; requests without an answer exceed any.
  private static func reached(_ objective: SizeObjective, _ series: RequestSeries, _ range: Range<Int>) -> Double {
    let values: [Double]
    var all = range.count
    switch objective.metric {
    case .timeToFirstToken: values = series.timesToFirstToken(range)
    case .timePerOutputToken:
      values = series.timesPerOutputToken(range)
      // Answers of one token have no time between tokens.
      all = values.count + range.count { !series.completed[$0] }
    case .endToEnd: values = series.endToEnd(range)
    }
    let place = Int((objective.share * Double(all)).rounded(.up)) - 1
    guard place < values.count, !values.isEmpty else { return .infinity }
    return values.sorted()[max(0, place)]
  }

  // MARK: How many

  /// The fewest replicas that meet the objectives, near what the closed form says; nothing where four times as many do
  /// not.
  func fewest(_ candidate: SizeCandidate) throws -> SizeTrial? {
    var (replicas, prefill) = (candidate.replicas, candidate.prefillReplicas)
    var best = try trial(candidate, replicas: replicas, prefill: prefill)
    while !best.meets {
      guard replicas + prefill <= 4 * (candidate.replicas + candidate.prefillReplicas) + 4 else { return nil }
      let growth = best.isSaturated ? 1.2 : 1.08
      let promptsBind = candidate.prefillParallelism != nil && best.binding?.objective.metric == .timeToFirstToken
      if promptsBind { prefill = Self.more(prefill, growth) } else { replicas = Self.more(replicas, growth) }
      best = try trial(candidate, replicas: replicas, prefill: prefill)
    }
    best = try fewer(candidate, best) { ($0 - 1, $1) }
    return candidate.prefillParallelism == nil ? best : try fewer(candidate, best) { ($0, $1 - 1) }
  }

  private static func more(_ count: Int, _ growth: Double) -> Int {
    max(count + 1, Int((Double(count) * growth).rounded(.up)))
  }

  /// Takes away as long as the objectives are met: in leaps while there are many, then one by one.
  private func fewer(
    _ candidate: SizeCandidate, _ from: SizeTrial, _ step: (Int, Int) -> (Int, Int)
  ) throws -> SizeTrial {
    var best = from
    var leap = max(1, (from.replicas + from.prefillReplicas) / 8)
    while true {
      var counts = (best.replicas, best.prefillReplicas)
      for _ in 0..<leap { counts = step(counts.0, counts.1) }
      let isPossible = counts.0 >= 1 && (candidate.prefillParallelism == nil || counts.1 >= 1)
      let next = isPossible ? try trial(candidate, replicas: counts.0, prefill: counts.1) : nil
      if let next, next.meets {
        best = next
      } else if leap > 1 {
        leap /= 2
      } else {
        return best
      }
    }
  }

  /// How far the load can grow before objectives are missed, as a share of it: found to a hundredth, up to 4.
  func headroom(_ candidate: SizeCandidate, _ trial: SizeTrial) throws -> Double {
    func holds(_ factor: Double) throws -> Bool {
      try self.trial(candidate, replicas: trial.replicas, prefill: trial.prefillReplicas, loadFactor: factor).meets
    }
    var (low, high) = (1.0, 1.25)
    while try holds(high) {
      low = high
      guard high < 4 else { return low - 1 }
      high *= 1.5
    }
    while high - low > 0.02 {
      let middle = (low + high) / 2
      if try holds(middle) { low = middle } else { high = middle }
    }
    return low - 1
  }
}
