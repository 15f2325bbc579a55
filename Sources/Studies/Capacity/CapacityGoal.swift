import Quantities
import Statistics
import Workloads

/// What a system must do at a request rate for the rate to be within its capacity.
package struct CapacityGoal: Sendable {
  /// Objectives that a request must meet to be a good one.
  package var objective: ServiceObjective
  /// Share of all requests that must be good.
  package var goodShare: Double

  package init(objective: ServiceObjective, goodShare: Double) {
    self.objective = objective
    self.goodShare = goodShare
  }

  /// For scenarios without objectives: estimates of what a reader of a chat takes, a first token within two seconds and
  /// then ten tokens a second.
  package static let standardObjective = ServiceObjective(
    timeToFirstToken: Seconds(2.0), timePerOutputToken: Seconds(0.1))
  package static let standardShare = 0.99
}

/// One rate that was tried.
package struct CapacityTrial: Sendable {
  package var summary: RunSummary
  package var isSaturated: Bool
  package var completedShare: Double
}
