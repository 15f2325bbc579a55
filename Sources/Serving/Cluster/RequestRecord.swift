/// What became of one request, for per-request output and metrics.
package struct RequestRecord: Sendable {
  package var id: Int
  /// Position of its class in the traffic's list.
  package var classIndex: Int
  package var outcome: Outcome
  package var inputTokens: Int
  package var outputTokens: Int
  /// Nanoseconds since the start of the run; -1 where it did not come to that.
  package var arrival: Int64
  package var firstScheduled: Int64
  package var firstToken: Int64
  package var completion: Int64
  package var preemptions: Int
  /// Tokens of the answer that it got.
  package var generatedTokens: Int
  /// Prompt tokens found in the prefix cache.
  package var hitTokens: Int
  /// The replica that served it; -1 for none.
  package var replica: Int

  /// How a request can end.
  package enum Outcome: String, Sendable {
    case completed
    /// Longer than the runtime serves or than its whole cache, or turned away by admission.
    case rejected
    /// The runtime gave up on it after its class's timeout.
    case timedOut = "timed-out"
    /// Its user gave up waiting.
    case cancelled
    /// Still waiting or running when the run was stopped.
    case unfinished
  }

  init(_ live: LiveRequest, _ outcome: Outcome, completion: Int64 = -1) {
    id = live.id
    classIndex = Int(live.request.classIndex)
    self.outcome = outcome
    inputTokens = live.inputTokens
    outputTokens = live.outputTokens
    arrival = live.arrival
    firstScheduled = live.firstScheduled
    firstToken = live.firstToken
    self.completion = completion
    preemptions = live.preemptions
    generatedTokens = live.generated
    hitTokens = live.hitTokens
    replica = Int(live.replica)
  }

  /// Tokens reach the client that much later than they leave the engine.
  mutating func delay(by nanoseconds: Int64) {
    if firstToken >= 0 { firstToken += nanoseconds }
    if completion >= 0 { completion += nanoseconds }
  }

  package var queueTime: Int64 { firstScheduled - arrival }
  package var timeToFirstToken: Int64 { firstToken - arrival }
  package var endToEnd: Int64 { completion - arrival }
  /// Mean time between tokens after the first; nothing when there is one token.
  package var timePerOutputToken: Int64? {
    outputTokens > 1 ? (completion - firstToken) / Int64(outputTokens - 1) : nil
  }
}
