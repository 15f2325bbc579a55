import Documents
import Statistics

/// Two or more scenarios on the same arrivals.
///
/// Generated traffic is made up anew several times, from one seed after another, and every scenario serves each of them:
/// what the arrivals do cancels in the differences between runs on the same ones. A recorded trace happened once, so its
/// run is cut into stretches of equal numbers of requests instead.
package struct ScenarioComparison: Sendable {
  package let scenarios: [Scenario]
  /// By scenario, then by replication or stretch.
  private let samples: [[RunSummary]]
  /// By scenario: of the whole trace, where runs are cut.
  private let wholes: [RunSummary]?
  /// By scenario: in how many replications requests piled up without bound.
  package let saturated: [Int]
  /// Requests of a run that did not count, the most of all runs.
  package let warmUp: Int
  /// Requests of each run.
  package let requests: Int

  package static let stretches = 10
  package static let confidence = 0.95

  package var replications: Int { samples[0].count }
  package var isOfStretches: Bool { wholes != nil }

  /// - Parameters:
  ///   - scenarios: Those after the first are run on the traffic and seed of the first.
  ///   - progress: Called with the number of runs done.
  /// - Throws: What ``ScenarioRunner`` throws.
  package init(
    _ scenarios: [Scenario], replications: Int, runner: ScenarioRunner, progress: (Int) -> Void = { _ in }
  ) throws {
    self.scenarios = scenarios.map { scenario in
      var scenario = scenario
      scenario.traffic = scenarios[0].traffic
      scenario.objective = scenarios[0].objective
      scenario.demand = scenarios[0].demand
      scenario.seed = scenarios[0].seed
      return scenario
    }
    let isTrace = scenarios[0].traffic.isTrace
    let runs = isTrace ? 1 : replications
    let outcomes = try Self.outcomes(self.scenarios, runs, runner, progress)
    let warmUps = (0..<runs).map { run in outcomes.map { $0[run].warmUp(scenarios[0].warmUp) }.max() ?? 0 }
    warmUp = warmUps.max() ?? 0
    requests = outcomes[0].map(\.series.count).max() ?? 0
    saturated = outcomes.map { runs in runs.count { $0.result.metrics.saturation.verdict == .saturated } }
    guard warmUps.indices.allSatisfy({ warmUps[$0] < outcomes[0][$0].series.count }) else {
      throw ScenarioError("the warm-up leaves no request to compare; give the traffic more requests")
    }
    if isTrace {
      wholes = outcomes.map { RunSummary($0[0], requests: warmUps[0]..<$0[0].series.count) }
      samples = outcomes.map { Self.stretches(of: $0[0], from: warmUps[0]) }
    } else {
      wholes = nil
      samples = outcomes.map { runs in
        runs.enumerated().map { RunSummary($1, requests: warmUps[$0]..<$1.series.count) }
      }
    }
  }

  private static func outcomes(
    _ scenarios: [Scenario], _ runs: Int, _ runner: ScenarioRunner, _ progress: (Int) -> Void
  ) throws -> [[RunOutcome]] {
    var outcomes = scenarios.map { _ in [RunOutcome?](repeating: nil, count: runs) }
    var done = 0
    try ParallelWork.forEach(scenarios.count * runs) { index in
      var scenario = scenarios[index % scenarios.count]
      scenario.seed = (scenario.seed ?? 1) &+ index / scenarios.count
      return try runner.run(scenario)
    } finished: { index, outcome in
      outcomes[index % scenarios.count][index / scenarios.count] = outcome
      done += 1
      progress(done)
    }
    return outcomes.map { $0.compactMap { $0 } }
  }

  private static func stretches(of run: RunOutcome, from start: Int) -> [RunSummary] {
    let size = (run.series.count - start) / stretches
    guard size > 0 else { return [] }
    return (0..<stretches).map { RunSummary(run, requests: start + $0 * size..<start + ($0 + 1) * size) }
  }

  // MARK: What it says

  /// A scenario's value of a metric: the mean of its replications, or that of the whole trace.
  package func value(_ metric: RunMetric, of scenario: Int) -> Double? {
    if let wholes { return wholes[scenario][metric] }
    let values = samples[scenario].compactMap { $0[metric] }
    return values.count == samples[scenario].count ? values.reduce(0, +) / Double(values.count) : nil
  }

  /// A scenario's value with what chance may have done to it.
  package func interval(_ metric: RunMetric, of scenario: Int) -> Interval? {
    guard !isOfStretches || metric.isOfStretches, let value = value(metric, of: scenario) else { return nil }
    let values = samples[scenario].compactMap { $0[metric] }
    return Interval.student(values, centre: value, confidence: Self.confidence)
  }

  /// A scenario's value less the first one's.
  package func difference(_ metric: RunMetric, of scenario: Int) -> Double? {
    guard let first = value(metric, of: 0), let other = value(metric, of: scenario) else { return nil }
    return other - first
  }

  /// The difference with what chance may have done to it.
  /// - Returns: Nothing where there are too few values, or the metric is not known of stretches.
  package func differenceInterval(_ metric: RunMetric, of scenario: Int) -> Interval? {
    guard !isOfStretches || metric.isOfStretches, let difference = difference(metric, of: scenario) else { return nil }
    let pairs = zip(samples[0], samples[scenario]).compactMap { first, other -> Double? in
      guard let first = first[metric], let other = other[metric] else { return nil }
      return other - first
    }
    return Interval.student(pairs, centre: difference, confidence: Self.confidence)
  }
}

extension TrafficSettings {
  /// Whether it is recorded, so that nothing about it is drawn by lot.
  package var isTrace: Bool { if case .trace = origin { true } else { false } }
}
