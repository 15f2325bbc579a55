import CostModels
import Execution
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
  package var layouts: [SizeCandidate.Layout] = [.aggregated, .disaggregated]
  /// Rent an hour, and board power of all devices, that a deployment may not exceed.
  package var budget: DollarsPerHour?
  package var powerBudget: Watts?
  /// Candidates of each model and hardware that the serving engine judges.
  package var shortlist = 2
  /// Requests of each replay.
  package var requests = 4000

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
