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
  /// When it ended, however it did, or the run.
  package var end: Int64
  package var preemptions: Int
  /// Prompt tokens it was served: all once its first token is out.
  package var promptTokensServed: Int
  /// Answer tokens it got, those of all its samples.
  package var generatedTokens: Int
  /// Prompt tokens found in the prefix cache.
  package var hitTokens: Int
  /// The replica that served it; -1 for none.
  package var replica: Int
  /// How often it was routed again after its replica failed.
  package var retries: Int
  /// Time its answer takes from the engine to the client, in what follows and in the times above.
  private(set) var delay: Int64 = 0
  /// When each token of its (first) answer came out; empty unless tokens are followed.
  package var tokenTimes: [Int64] = []
  /// How its answer reads; nothing when tokens are not followed, or it was not completed.
  package var fluidity: RequestFluidity?

  /// How a request can end.
  package enum Outcome: String, Sendable {
    case completed
    /// Longer than the runtime serves or than its whole cache, or turned away by admission.
    case rejected
    /// The runtime gave up on it after its class's timeout.
    case timedOut = "timed-out"
    /// Its user gave up waiting.
    case cancelled
    /// Its replicas failed too often.
    case failed
    /// Still waiting or running when the run was stopped.
    case unfinished
  }

  /// - Parameter end: When it ended.
  init(_ live: borrowing LiveRequest, _ outcome: Outcome, end: Int64) {
    id = live.id
    classIndex = Int(live.request.classIndex)
    self.outcome = outcome
    inputTokens = live.inputTokens
    outputTokens = live.outputTokens
    arrival = live.arrival
    firstScheduled = live.firstScheduled
    firstToken = live.firstToken
    completion = outcome == .completed ? end : -1
    self.end = end
    preemptions = live.preemptions
    promptTokensServed = live.promptTokensServed
    generatedTokens = live.generated + live.siblingTokens
    hitTokens = live.hitTokens
    replica = Int(live.replica)
    retries = live.retries
  }

  /// Tokens reach the client that much later than they leave the engine.
  mutating func delay(by nanoseconds: Int64) {
    delay = nanoseconds
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
