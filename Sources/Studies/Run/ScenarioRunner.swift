import Documents
import Serving
import Workloads

/// One run, with what became of each of its requests.
package struct RunOutcome: Sendable {
  package let result: ServingResult
  package let series: RequestSeries
  /// Whether requests were judged.
  package let hasObjectives: Bool

  /// How many of the first requests do not count.
  package func warmUp(_ settings: WarmUpSettings) -> Int {
    switch settings {
    case .automatic: series.warmUp
    case .requests(let count): min(count, series.count)
    case .time(let time): series.firstRequest(after: time)
    }
  }
}

/// Runs scenarios, each from a plan of its own.
package struct ScenarioRunner: Sendable {
  package let builder: ScenarioBuilder
  /// Asked now and then; false stops the run.
  private let shouldContinue: @Sendable () -> Bool

  package init(_ builder: ScenarioBuilder, shouldContinue: @escaping @Sendable () -> Bool = { true }) {
    self.builder = builder
    self.shouldContinue = shouldContinue
  }

  /// - Throws: ``RunStopped`` when it is time to stop; between runs that are too short to ask.
  package func checkStop() throws {
    guard shouldContinue() else { throw RunStopped() }
  }

  /// - Parameters:
  ///   - loadFactor: On the rate of generated traffic, or on how fast a trace is replayed.
  ///   - judge: Which completed requests are good.
  /// - Throws: What ``ScenarioBuilder`` throws, `DataError` for traffic without requests, and ``RunStopped``.
  package func run(
    _ scenario: Scenario, loadFactor: Double = 1, judge: RequestJudge = .objectives
  ) throws -> RunOutcome {
    let plan = try builder.cluster(scenario)
    var source = try builder.source(scenario, loadFactor: loadFactor)
    let classes = source.classes
    let objectives = classes.map(\.objective)
    var series = RequestSeries()
    var measurement = MeasurementOptions()
    measurement.fluidity = judge.fluidity
    var engine = try ServingEngine(plan, measuring: measurement)
    let observer = ServingEngine.Observer(
      onEnd: { series.add($0, isGood: judge.isGood($0, objectives[$0.classIndex])) },
      shouldContinue: { _ in shouldContinue() })
    let result = try engine.run(&source, observer: observer)
    guard !result.interrupted else { throw RunStopped() }
    guard result.arrived > 0 else { throw DataError(file: scenario.trafficName, problem: "holds no requests") }
    return RunOutcome(
      result: result, series: series,
      hasObjectives: judge.fluidity != nil || objectives.contains { !$0.isEmpty })
  }
}

/// A run was told to stop before its traffic was served.
package struct RunStopped: Error {}
