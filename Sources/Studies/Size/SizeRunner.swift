import CostModels
import Execution
import Foundation
import ModelGraph
import Quantities

/// Finds the cheapest deployments that meet objectives: all candidates in closed form, then the serving engine on the
/// best of each model and hardware.
package struct SizeRunner: Sendable {
  private let request: SizeRequest
  private let runner: ScenarioRunner

  package init(_ request: SizeRequest, runner: ScenarioRunner) {
    self.request = request
    self.runner = runner
  }

  /// - Parameter progress: Called with what goes on, how many of all pairs of model and hardware are done, and all.
  /// - Throws: ``ScenarioError`` for a request without objectives, what names and replays throw, ``RunStopped``.
  package func run(progress: (String, Int, Int) -> Void = { _, _, _ in }) throws -> SizeAnswer {
    guard !request.objectives.limits.isEmpty || request.objectives.fluidShare != nil else {
      throw ScenarioError("nothing is asked of the deployments: give --ttft, --tpot, --e2e or --fluidity")
    }
    let share = request.objectives.limits.map(\.share).max() ?? 0.99
    let demand = try DemandSample(request.scenario, runner.builder, share: share)
    let pairs = request.models.flatMap { model in request.hardware.map { (model, $0) } }
    var start = ContinuousClock.now
    let search = AnalyticSearch(request, demand, library: runner.builder.library)
    var done = 0
    var found = [AnalyticSearch.Found?](repeating: nil, count: pairs.count)
    try ParallelWork.forEach(pairs.count) {
      try search.run(model: pairs[$0].0, hardware: pairs[$0].1)
    } finished: { index, result in
      found[index] = result
      done += 1
      progress("searching", done, pairs.count)
    }
    let analytic = (ContinuousClock.now - start).seconds
    start = .now
    done = 0
    var outcomes = [SizeOutcome?](repeating: nil, count: pairs.count)
    let all = found.compactMap { $0 }
    let replays = Tally()
    let requests = request.requests(for: demand)
    try ParallelWork.forEach(all.count) {
      try judge(all[$0], requests: requests, replays)
    } finished: { index, outcome in
      outcomes[index] = outcome
      done += 1
      progress("replaying", done, all.count)
    }
    return SizeAnswer(
      request: request, demand: demand, outcomes: Self.ordered(outcomes.compactMap { $0 }, request.models.map(\.text)),
      candidates: all.reduce(0) { $0 + $1.priced }, analyticSeconds: analytic,
      engineSeconds: (ContinuousClock.now - start).seconds, replays: replays.count)
  }

  private static func ordered(_ outcomes: [SizeOutcome], _ models: [String]) -> [SizeOutcome] {
    models.flatMap { model in
      outcomes.filter { $0.model == model }.enumerated().sorted {
        (cost($0.element), $0.offset) < (cost($1.element), $1.offset)
      }.map(\.element)
    }
  }

  private static func cost(_ outcome: SizeOutcome) -> Double {
    guard let best = outcome.best else { return .infinity }
    return best.hourly ?? .greatestFiniteMagnitude
  }

  // MARK: Judging

  private func judge(_ found: AnalyticSearch.Found, requests: Int, _ tally: Tally) throws -> SizeOutcome {
    let judge = SizeJudge(request: request, runner: runner, requests: requests, onTrial: tally.add)
    var outcome = SizeOutcome(model: found.model, hardware: found.hardware, best: nil, obstacle: found.obstacle)
    var best: (SizeCandidate, SizeTrial, Double)?
    for candidate in shortlist(found.candidates) {
      guard let trial = try judge.fewest(candidate) else { continue }
      let cost = try hourly(candidate, trial) ?? Double(candidate.devices)
      if best == nil || cost < best?.2 ?? 0 { best = (candidate, trial, cost) }
    }
    guard let (candidate, trial, _) = best else {
      if outcome.obstacle == nil { outcome.obstacle = try engineObstacle(found, judge) }
      return outcome
    }
    let sized = try sized(candidate, trial, judge)
    if let budget = request.budget, let hourly = sized.hourly, hourly > budget.value {
      outcome.obstacle = SizeObstacle(text: "the budget of \(budget) binds", excess: hourly / budget.value - 1)
      return outcome
    }
    outcome.obstacle = nil
    outcome.best = sized
    return outcome
  }

  /// The cheapest without pipeline stages, of which the closed form is surest, and the cheapest with them.
  private func shortlist(_ candidates: [SizeCandidate]) -> [SizeCandidate] {
    distinct(candidates.filter { !$0.hasStages }) + distinct(candidates.filter(\.hasStages))
  }

  /// The cheapest of each layout, precision and split, so that not one plan with many limits fills the list.
  private func distinct(_ candidates: [SizeCandidate]) -> [SizeCandidate] {
    var kinds: Set<[String]> = []
    var list: [SizeCandidate] = []
    for candidate in candidates {
      let kind = [
        candidate.layout.rawValue, "\(candidate.formats)", candidate.parallelism.degrees,
        candidate.prefillParallelism?.degrees ?? "",
      ]
      guard kinds.insert(kind).inserted else { continue }
      // Of one plan the widest limit at the same price leaves the engine most freedom.
      let alike = candidates.filter {
        $0.layout == candidate.layout && $0.formats == candidate.formats && $0.parallelism == candidate.parallelism
          && $0.prefillParallelism == candidate.prefillParallelism && $0.devices == candidate.devices
      }
      list.append(alike.max { $0.batchLimit < $1.batchLimit } ?? candidate)
      if list.count == request.shortlist { break }
    }
    return list
  }

  private func engineObstacle(_ found: AnalyticSearch.Found, _ judge: SizeJudge) throws -> SizeObstacle? {
    guard let candidate = found.candidates.first else { return nil }
    let trial = try judge.trial(
      candidate, replicas: 4 * candidate.replicas, prefill: 4 * candidate.prefillReplicas)
    guard !trial.isSaturated else {
      let count = trial.replicas + trial.prefillReplicas
      return SizeObstacle(
        text: "requests pile up in the serving engine, even with \(count) replicas", excess: .infinity)
    }
    if let binding = trial.binding, binding.load > 1 {
      return SizeObstacle(text: "\(binding.objective.text) binds in the serving engine", excess: binding.load - 1)
    }
    guard let wanted = trial.wantsFluid, let share = trial.fluidShare, share < wanted else { return nil }
    let text = "fluid answers for \(roundedText(wanted * 100, significantDigits: 4)) % bind in the serving engine"
    return SizeObstacle(text: text, excess: share > 0 ? wanted / share - 1 : .infinity)
  }

  private func hourly(_ candidate: SizeCandidate, _ trial: SizeTrial) throws -> Double? {
    guard let whole = candidate.hourly, candidate.devices > 0 else { return nil }
    let devices = candidate.devices(replicas: trial.replicas, prefill: trial.prefillReplicas)
    return whole / Double(candidate.devices) * Double(devices)
  }

  private func sized(_ candidate: SizeCandidate, _ trial: SizeTrial, _ judge: SizeJudge) throws -> SizedDeployment {
    let scenario = candidate.scenario(
      request, requests: judge.requests, replicas: trial.replicas, prefill: trial.prefillReplicas)
    let deployment = try runner.builder.cluster(scenario).pools.last.map(\.replica.deployment)
    guard let deployment else { throw ScenarioError("a deployment without pools") }
    let devices = candidate.devices(replicas: trial.replicas, prefill: trial.prefillReplicas)
    let perNode = deployment.platform.perNode ?? Self.usualNode
    return SizedDeployment(
      candidate: candidate, trial: trial, replicaRange: range(deployment, trial),
      level: deployment.intervals.level, hourly: try hourly(candidate, trial), devices: devices,
      nodes: devices.dividedUp(by: perNode), headroom: try judge.headroom(candidate, trial),
      doubleLoad: try judge.trial(candidate, replicas: trial.replicas, prefill: trial.prefillReplicas, loadFactor: 2),
      nodeLoss: try nodeLoss(candidate, trial, perNode: perNode, judge), deployment: deployment)
  }

  /// Devices in a node where a device is not described as part of one.
  private static let usualNode = 8

  /// The worse of losing a node full of replicas that answer, and one full of replicas that take prompts.
  private func nodeLoss(
    _ candidate: SizeCandidate, _ trial: SizeTrial, perNode: Int, _ judge: SizeJudge
  ) throws -> NodeLoss {
    func inOne(_ parallelism: Parallelism, of count: Int) -> Int { min(count, max(1, perNode / parallelism.devices)) }
    var losses = [(inOne(candidate.parallelism, of: trial.replicas), 0)]
    if let prompts = candidate.prefillParallelism { losses.append((0, inOne(prompts, of: trial.prefillReplicas))) }
    let found = try losses.map { answers, prompts in
      let left = (replicas: trial.replicas - answers, prefill: trial.prefillReplicas - prompts)
      let isGone = left.replicas == 0 || candidate.prefillParallelism != nil && left.prefill == 0
      return NodeLoss(
        replicas: answers, prefillReplicas: prompts,
        left: isGone ? nil : try judge.trial(candidate, replicas: left.replicas, prefill: left.prefill))
    }
    return found.max { $0.severity < $1.severity } ?? NodeLoss(replicas: trial.replicas, prefillReplicas: 0, left: nil)
  }

  /// Times enter counts in proportion, so the interval's factor on times is one on counts.
  private func range(_ deployment: Deployment, _ trial: SizeTrial) -> ClosedRange<Int> {
    let batch = BatchCase(sequences: 16, inputTokens: 1024, outputTokens: 256)
    let factor = deployment.intervalFactor(.perToken, for: batch) ?? 1
    let count = Double(trial.replicas + trial.prefillReplicas)
    let low = max(1, Int((count / factor).rounded(.up)))
    return low...max(low, Int((count * factor).rounded(.up)))
  }
}

/// Counts replays over threads.
private final class Tally: @unchecked Sendable {
  private let lock = NSLock()
  private var value = 0

  var count: Int { lock.withLock { value } }

  func add() { lock.withLock { value += 1 } }
}
