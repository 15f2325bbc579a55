import Quantities
import Serving
import Store
import Workloads

/// Gathers what a store keeps of a replay while it goes on.
package final class RunCollector {
  private let objectives: [ServiceObjective]
  package private(set) var series = RequestSeries()
  package private(set) var samples: [SeriesRow] = []
  /// Samples beyond these are thinned: every other one goes, and from then on every other one is taken.
  private static let most = 20_000
  private var every = 1
  private var seen = 0

  package init(_ classes: [RequestClass]) { objectives = classes.map(\.objective) }

  package func add(_ record: RequestRecord) {
    series.add(record, isGood: RequestJudge.objectives.isGood(record, objectives[record.classIndex]))
  }

  package func add(_ sample: SeriesSample) {
    defer { seen += 1 }
    guard seen % every == 0 else { return }
    samples.append(
      SeriesRow(
        time: Double(sample.time) / 1e9, waiting: sample.waiting, running: sample.running, occupancy: sample.occupancy,
        replicasUp: sample.replicasUp, power: sample.power?.value, outputTokensPerSecond: sample.outputTokensPerSecond))
    guard samples.count > Self.most else { return }
    samples = samples.indices.filter { $0 % 2 == 0 }.map { samples[$0] }
    every *= 2
  }

  package func outcome(_ result: ServingResult) -> RunOutcome {
    RunOutcome(result: result, series: series, hasObjectives: objectives.contains { !$0.isEmpty })
  }
}
