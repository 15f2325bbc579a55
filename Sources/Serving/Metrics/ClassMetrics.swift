import Workloads

/// What a run is measured by, for the requests of one class.
///
/// Percentiles are within 1 % of a recorded value, so that many classes stay small.
package struct ClassMetrics: Sendable {
  package private(set) var outcomes = OutcomeCounts()
  package private(set) var latencies = LatencySet(.percent)
  package private(set) var objectives = ObjectiveCounts()
  /// Prompt tokens of requests whose prompt was computed, and answer tokens generated.
  package private(set) var inputTokens = 0
  package private(set) var outputTokens = 0
  package private(set) var preemptions = 0
  package private(set) var hitTokens = 0

  /// - Parameter isMeasured: Whether it is past the warm-up.
  mutating func add(_ record: RequestRecord, _ objective: Objective, isMeasured: Bool) {
    outcomes.add(record.outcome)
    inputTokens += record.promptTokensServed
    outputTokens += record.generatedTokens
    preemptions += record.preemptions
    hitTokens += record.hitTokens
    guard isMeasured else { return }
    objectives.add(record, objective)
    if record.outcome == .completed { latencies.add(record) }
  }
}
