/// Requests by how they ended.
package struct OutcomeCounts: Sendable, Equatable {
  package private(set) var completed = 0
  package private(set) var rejected = 0
  package private(set) var timedOut = 0
  package private(set) var cancelled = 0
  package private(set) var failed = 0
  package private(set) var unfinished = 0

  mutating func add(_ outcome: RequestRecord.Outcome) {
    switch outcome {
    case .completed: completed += 1
    case .rejected: rejected += 1
    case .timedOut: timedOut += 1
    case .cancelled: cancelled += 1
    case .failed: failed += 1
    case .unfinished: unfinished += 1
    }
  }

  /// Requests that have ended one way or another.
  package var ended: Int { completed + rejected + timedOut + cancelled + failed }
  package var all: Int { ended + unfinished }
}
