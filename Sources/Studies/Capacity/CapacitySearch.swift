import Documents
import Statistics

/// The largest request rate at which a scenario meets a goal, by bracketing on one and the same sequence of requests.
///
/// A higher rate is the same requests in less time, so that the answer changes from yes to no once, but for chance.
package struct CapacitySearch: Sendable {
  package struct Settings: Sendable {
    package var goal: CapacityGoal
    /// The bracket's ends differ by this share at most.
    package var tolerance: Double

    package init(goal: CapacityGoal, tolerance: Double = 0.02) {
      self.goal = goal
      self.tolerance = tolerance
    }
  }

  package struct Trial: Sendable {
    package var rate: Double
    package var meets: Bool
    package var outcome: CapacityTrial
  }

  /// In the order in which rates were tried.
  package let trials: [Trial]
  /// From the highest rate that met the goal to the lowest that did not; nothing when one of them was not found.
  package let bracket: ClosedRange<Double>?
  package let converged: Bool

  /// The highest rate that met the goal.
  package var capacity: Double? { trials.filter(\.meets).map(\.rate).max() }

  /// - Parameter tried: Called after each trial.
  /// - Throws: What ``ScenarioRunner`` throws; ``ScenarioError`` for closed loops, whose rate the answers decide.
  package init(
    _ scenario: Scenario, _ settings: Settings, runner: ScenarioRunner, tried: (Trial) -> Void = { _ in }
  ) throws {
    var judged = scenario
    if case .objectives(let objective?) = settings.goal.demand { judged.demand = objective }
    let base = try Self.baseRate(judged, runner)
    let search = try RateSearch<CapacityTrial>(
      RateSearchSettings(start: base, limits: base / 4096...base * 4096, tolerance: settings.tolerance, trials: 40)
    ) { rate in
      let trial = try Self.trial(judged, settings.goal, loadFactor: rate / base, runner)
      tried(Trial(rate: rate, meets: Self.meets(trial, settings.goal), outcome: trial))
      return trial
    } meets: {
      Self.meets($0, settings.goal)
    }
    trials = search.trials.map { Trial(rate: $0.rate, meets: $0.meets, outcome: $0.outcome) }
    bracket = search.bracket
    converged = search.converged
  }

  /// The rate of the traffic as it is.
  static func baseRate(_ scenario: Scenario, _ runner: ScenarioRunner) throws -> Double {
    if let rate = try runner.builder.meanRate(scenario) { return rate }
    guard scenario.traffic.isTrace else {
      throw ScenarioError("\(scenario.trafficName) is a closed loop, whose rate the answers decide; it has no capacity")
    }
    var source = try runner.builder.source(scenario)
    var times: [Int64] = []
    while let request = try source.next() { times.append(request.arrival.nanoseconds) }
    guard let first = times.first, let last = times.last, last > first else {
      throw DataError(file: scenario.trafficName, problem: "has no time between requests, so no rate to change")
    }
    return Double(times.count - 1) / (Double(last - first) / 1e9)
  }

  private static func trial(
    _ scenario: Scenario, _ goal: CapacityGoal, loadFactor: Double, _ runner: ScenarioRunner
  ) throws -> CapacityTrial {
    let run = try runner.run(scenario, loadFactor: loadFactor, judge: goal.judge)
    let warmUp = min(run.warmUp(scenario.warmUp), run.series.count - 1)
    return CapacityTrial(
      summary: RunSummary(run, requests: warmUp..<run.series.count),
      isSaturated: run.result.metrics.saturation.verdict == .saturated,
      completedShare: Double(run.result.metrics.completed) / Double(run.result.arrived))
  }

  private static func meets(_ trial: CapacityTrial, _ goal: CapacityGoal) -> Bool {
    guard let share = trial.summary[.goodShare], !trial.isSaturated else { return false }
    return share >= goal.goodShare
  }
}
