import CostModels
import Execution
import ModelGraph
import Quantities

/// What is to be served, how well, on what it may be.
package struct SizeRequest: Sendable {
  package var models: [Located]
  package var hardware: [Located]
  package var runtime: Located
  /// Traffic, seed and warm-up; what serves is chosen here.
  package var scenario: Scenario
  package var objectives: SizeObjectives
  package var precisions: [FormatRequest]
  package var tensorDegrees = [1, 2, 4, 8]
  package var pipelineDegrees = [1, 2, 4]
  /// Ways experts are held: each split over the devices of a stage, or spread over them whole.
  package var expertLayouts: [ExpertLayout] = [.split, .spread]
  package var layouts: [SizeCandidate.Layout] = [.aggregated, .disaggregated]
  /// Rent an hour, and board power of all devices, that a deployment may not exceed.
  package var budget: DollarsPerHour?
  package var powerBudget: Watts?
  /// Candidates of each model and hardware that the serving engine judges: so many with stages, and as many without.
  package var shortlist = 2
  /// Requests of each replay, or more where they arrive so fast that none would end before the last has come.
  package var requests = 4000

  package enum ExpertLayout: String, CaseIterable, Sendable { case split, spread }

  /// Requests that a replay needs: arrivals go on for some times as long as an answer may take.
  func requests(for demand: DemandSample) -> Int {
    let limits = objectives.limits.compactMap { objective -> Double? in
      switch objective.metric {
      case .timeToFirstToken: nil
      case .timePerOutputToken: objective.limit.value * demand.meanOutput
      case .endToEnd: objective.limit.value
      }
    }
    let answer = min(limits.min() ?? .infinity, Self.usualToken * demand.meanOutput)
    return min(Self.mostRequests, max(requests, Int(demand.rate * answer * Self.answersLong)))
  }

  /// Seconds of a token at ease, answers that arrivals last, and what a replay can hold at most.
  private static let usualToken = 0.05
  private static let answersLong = 6.0
  private static let mostRequests = 1_000_000

  /// Every way that one replica's devices may share a model, few stages first.
  var parallelisms: [Parallelism] {
    pipelineDegrees.flatMap { pipeline in
      tensorDegrees.flatMap { tensor in
        expertLayouts.compactMap { experts in
          // Experts on one device are neither split nor spread.
          guard experts == .split || tensor > 1 else { return nil }
          return Parallelism(tensor: tensor, pipeline: pipeline, expert: experts == .spread ? tensor : 1)
        }
      }
    }
  }

  package init(
    models: [Located], hardware: [Located], runtime: Located, scenario: Scenario, objectives: SizeObjectives,
    precisions: [FormatRequest]
  ) {
    self.models = models
    self.hardware = hardware
    self.runtime = runtime
    self.scenario = scenario
    self.objectives = objectives
    self.precisions = precisions
  }
}
