import Foundation

/// Runs a study on all cores, keeping what is done when it is interrupted.
package struct StudyRunner: Sendable {
  private let study: Study
  private let runner: ScenarioRunner
  private let journal: StudyJournal

  /// - Parameters:
  ///   - journal: File that keeps what is done until the report is written.
  ///   - fingerprint: Of everything that results depend on besides the program.
  package init(_ study: Study, runner: ScenarioRunner, journal: String, fingerprint: String) throws {
    self.study = study
    self.runner = runner
    self.journal = try StudyJournal(path: journal, fingerprint: fingerprint)
  }

  /// Removes the journal; the report has been written.
  package func forget() { journal.remove() }

  /// - Parameter progress: Called with what goes on, the pieces done, and all there are.
  /// - Throws: What ``ScenarioRunner`` throws.
  package func run(progress: (String, Int, Int) -> Void) throws -> StudyResults {
    let capacities = try capacities(progress)
    for (page, name) in study.pages.enumerated() where capacities[page][0] == nil {
      throw ScenarioError(
        "'\(study.compared.values[0].name)' meets the goal at no rate under \(study.pageName(name)), "
          + "so there is nothing to take loads from")
    }
    return StudyResults(study: study, capacities: capacities, runs: try runs(capacities, progress))
  }

  // MARK: Capacities

  private func capacities(_ progress: (String, Int, Int) -> Void) throws -> [[Double?]] {
    let pages = study.pages
    let values = study.searchesCapacities ? study.compared.values.count : 1
    var found = pages.map { _ in [Double?](repeating: nil, count: study.compared.values.count) }
    var done = 0
    try ParallelWork.forEach(pages.count * values) { index in
      try capacity(value: index % values, page: pages[index / values])
    } finished: { index, capacity in
      found[index / values][index % values] = capacity
      done += 1
      progress("searching capacities", done, pages.count * values)
    }
    return found
  }

  private func capacity(value: Int, page: [Int]) throws -> Double? {
    let key = "capacity/\(study.pageName(page))/\(study.compared.values[value].name)"
    if let known = journal[key] { return known.first ?? nil }
    let search = try CapacitySearch(
      study.scenario(value, page), CapacitySearch.Settings(goal: study.goal), runner: runner)
    try journal.add(key, [search.capacity])
    return search.capacity
  }

  // MARK: Runs

  private func runs(
    _ capacities: [[Double?]], _ progress: (String, Int, Int) -> Void
  ) throws -> [[[[StudyRun]]]] {
    let pages = study.pages
    let values = study.compared.values.count
    let (loads, replications) = (study.loads.count, study.replications)
    var results = [StudyRun?](repeating: nil, count: pages.count * values * loads * replications)
    var done = 0
    try ParallelWork.forEach(results.count) { index in
      let page = index / replications / loads / values
      return try run(
        value: index / replications / loads % values, page: pages[page],
        rate: (capacities[page][0] ?? 0) * study.loads[index / replications % loads], replication: index % replications)
    } finished: { index, run in
      results[index] = run
      done += 1
      progress("running", done, results.count)
    }
    let all = results.compactMap { $0 }
    return pages.indices.map { page in
      (0..<values).map { value in
        (0..<loads).map { load in
          let start = ((page * values + value) * loads + load) * replications
          return Array(all[start..<start + replications])
        }
      }
    }
  }

  private func run(value: Int, page: [Int], rate: Double, replication: Int) throws -> StudyRun {
    let key = "run/\(study.pageName(page))/\(study.compared.values[value].name)/\(rate)/\(replication)"
    if let known = journal[key].flatMap(StudyRun.init) { return known }
    var scenario = try study.scenario(value, page)
    scenario.seed = (scenario.seed ?? 1) &+ replication
    let factor: Double
    if scenario.traffic.isTrace {
      factor = rate / (try CapacitySearch.baseRate(scenario, runner))
    } else {
      scenario.traffic.rate = rate
      factor = 1
    }
    let outcome = try runner.run(scenario, loadFactor: factor)
    let warmUp = min(outcome.warmUp(scenario.warmUp), outcome.series.count - 1)
    let run = StudyRun(
      RunSummary(outcome, requests: warmUp..<outcome.series.count),
      isSaturated: outcome.result.metrics.saturation.verdict == .saturated, rate: rate)
    try journal.add(key, run.line)
    return run
  }
}
