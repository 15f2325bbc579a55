import EventKernel
import Workloads

/// A request that waits or runs, with what has happened to it.
struct RunningRequest {
  /// Position in the traffic, from 0.
  var id: Int
  var arrival: Int64
  var inputTokens: Int
  var outputTokens: Int
  /// Prompt tokens (and, after a preemption, answer tokens to recompute) whose keys and values are in cache.
  var computed = 0
  /// Tokens of the answer so far, up to the last time the request was looked at; see `Decoding`.
  var generated = 0
  /// KV blocks it holds.
  var blocks = 0
  var firstScheduled: Int64 = -1
  var firstToken: Int64 = -1
  /// When its newest token came out; gaps are measured from here after a preemption.
  var lastToken: Int64 = -1
  var preemptions = 0

  init(id: Int, _ request: Request) {
    self.id = id
    arrival = request.arrival.nanoseconds
    inputTokens = request.inputTokens
    outputTokens = request.outputTokens
  }

  /// Tokens to have in cache before the next token can be generated.
  var target: Int { inputTokens + generated }
}

/// What became of one request, for per-request output and metrics.
package struct RequestRecord: Sendable {
  package var id: Int
  package var outcome: Outcome
  package var inputTokens: Int
  package var outputTokens: Int
  /// Nanoseconds since the start of the run; -1 where it did not come to that.
  package var arrival: Int64
  package var firstScheduled: Int64
  package var firstToken: Int64
  package var completion: Int64
  package var preemptions: Int

  /// How a request can end.
  package enum Outcome: String, Sendable {
    case completed
    /// Longer than the runtime serves, or than its whole cache.
    case rejected
    /// Still waiting or running when the run was stopped.
    case unfinished
  }

  init(_ request: RunningRequest, _ outcome: Outcome, completion: Int64 = -1) {
    id = request.id
    self.outcome = outcome
    inputTokens = request.inputTokens
    outputTokens = request.outputTokens
    arrival = request.arrival
    firstScheduled = request.firstScheduled
    firstToken = request.firstToken
    self.completion = completion
    preemptions = request.preemptions
  }

  package var queueTime: Int64 { firstScheduled - arrival }
  package var timeToFirstToken: Int64 { firstToken - arrival }
  package var endToEnd: Int64 { completion - arrival }
  /// Mean time between tokens after the first; nothing when there is one token.
  package var timePerOutputToken: Int64? {
    outputTokens > 1 ? (completion - firstToken) / Int64(outputTokens - 1) : nil
  }
}
