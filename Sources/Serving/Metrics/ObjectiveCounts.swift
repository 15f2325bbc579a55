import Quantities
import Workloads

/// An objective in whole nanoseconds, as records are held against it.
package struct Objective: Sendable, Equatable {
  package let timeToFirstToken: Int64?
  package let timePerOutputToken: Int64?
  package let endToEnd: Int64?

  /// - Parameter common: Replaces those latencies of the class's objective that it names.
  package init(_ objective: ServiceObjective, replacedBy common: ServiceObjective = ServiceObjective()) {
    timeToFirstToken = (common.timeToFirstToken ?? objective.timeToFirstToken)?.nanoseconds
    timePerOutputToken = (common.timePerOutputToken ?? objective.timePerOutputToken)?.nanoseconds
    endToEnd = (common.endToEnd ?? objective.endToEnd)?.nanoseconds
  }

  package var isEmpty: Bool { timeToFirstToken == nil && timePerOutputToken == nil && endToEnd == nil }

  /// Whether a request met each part; one that was not completed met none, and a part that is absent is met.
  package func check(_ record: RequestRecord) -> Check {
    guard record.outcome == .completed else { return Check() }
    return Check(
      timeToFirstToken: timeToFirstToken.map { record.timeToFirstToken <= $0 } ?? true,
      timePerOutputToken: timePerOutputToken.map { (record.timePerOutputToken ?? 0) <= $0 } ?? true,
      endToEnd: endToEnd.map { record.endToEnd <= $0 } ?? true)
  }

  package struct Check: Sendable, Equatable {
    package var timeToFirstToken = false
    package var timePerOutputToken = false
    package var endToEnd = false

    package var all: Bool { timeToFirstToken && timePerOutputToken && endToEnd }
  }
}

/// How many requests met their objectives.
package struct ObjectiveCounts: Sendable, Equatable {
  /// Requests that ended, however they did; those still open when a run is stopped are not judged.
  package private(set) var judged = 0
  package private(set) var metTimeToFirstToken = 0
  package private(set) var metTimePerOutputToken = 0
  package private(set) var metEndToEnd = 0
  /// Requests that met every part, and the tokens of their answers.
  package private(set) var good = 0
  package private(set) var goodTokens = 0

  mutating func add(_ record: RequestRecord, _ objective: Objective) {
    guard record.outcome != .unfinished else { return }
    let check = objective.check(record)
    judged += 1
    if check.timeToFirstToken { metTimeToFirstToken += 1 }
    if check.timePerOutputToken { metTimePerOutputToken += 1 }
    if check.endToEnd { metEndToEnd += 1 }
    if check.all {
      good += 1
      goodTokens += record.generatedTokens
    }
  }

  /// A count as a share of the requests judged; nothing when there are none.
  package func share(_ count: Int) -> Double? { judged > 0 ? Double(count) / Double(judged) : nil }
}
