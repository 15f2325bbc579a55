import CostModels

/// Decides who is served first, and how a replica's steps are composed.
///
/// A scheduler sees a ``RequestView``, never the request: the length of an answer reaches it only as a prediction, of
/// the quality it declares in ``lengths``. It holds no state of its own; what a policy needs to remember of a request or a tenant
/// is kept by the replica and shown in the view.
///
/// To add one: a file in `Schedulers`, and a line in ``Schedulers/all``. Help, documents and the invariant tests follow.
package protocol Scheduler: Sendable, SendableMetatype {
  static var description: PolicyDescription { get }
  /// - Throws: ``PolicyError`` when a text among the values makes no sense.
  init(_ values: PolicyValues) throws(PolicyError)

  /// How steps are composed; nothing leaves it to the runtime.
  var batching: Batching? { get }
  /// How the waiting line is kept.
  var line: LineOrder { get }
  /// What it knows of answers' lengths.
  var lengths: LengthKnowledge { get }
  /// Whether a waiting request takes the place of a running one with a higher key, when there is no room beside it.
  var preempts: Bool { get }
  /// Whether it asks for the service tenants have had, which takes time to count.
  var countsService: Bool { get }
  /// The place of a request: the lowest key is served first, earlier arrivals first among equals.
  func key(_ request: RequestView) -> Double
}

extension Scheduler {
  package var batching: Batching? { nil }
  package var line: LineOrder { .key }
  package var lengths: LengthKnowledge { .none }
  package var preempts: Bool { false }
  package var countsService: Bool {
    switch line {
    case .tenants: true
    case .arrival, .key, .changingKey: false
    }
  }
}

/// How a waiting line is kept in order.
package enum LineOrder: Sendable {
  /// First come, first served; keys are not asked for.
  case arrival
  /// By a key that does not change while a request waits.
  case key
  /// First come, first served within a tenant; the tenant whose first request has the lowest key goes first.
  case tenants
  /// By a key that changes with time: all waiting requests are asked again before each step.
  case changingKey
}

/// What a policy knows of the length of an answer before it ends.
package enum LengthKnowledge: Sendable, Equatable {
  case none
  /// The true length: an oracle, for bounds.
  case oracle
  /// A prediction that ranks answers with this accuracy: Kendall's tau between predicted and true lengths.
  case ranked(tau: Double)
}

/// What a policy may know of a request.
package struct RequestView: Sendable {
  /// All times are nanoseconds since the start of the run.
  package var now: Int64
  package var arrival: Int64
  package var inputTokens: Int
  /// Its tokens in cache.
  package var computedTokens: Int
  /// Tokens of the answer so far.
  package var generatedTokens: Int
  /// As the policy's ``LengthKnowledge`` allows; 0 with none.
  package var predictedTokens: Int
  package var priority: Int
  /// The tenant's weight, and the service it has had at this replica: tokens of prompts, and twice those of answers,
  /// over the weight. 0 unless the policy asks for it (``Scheduler/countsService``).
  package var tenantWeight: Double
  package var tenantService: Double
  /// When the first token, or the whole answer, is due by the class's objective; nothing without one.
  package var firstTokenDeadline: Int64?
  package var deadline: Int64?
  package var preemptions: Int

  /// Seconds since arrival.
  package var waited: Double { Double(now - arrival) / 1e9 }
}

/// How the steps of a replica are composed.
package struct Batching: Sendable, Equatable {
  package typealias Mix = BatchingMix

  package var mix: Mix
  /// Token budget of a step; nothing for the runtime's.
  package var tokens: Int?
  /// Prompt tokens of one request in a step at most; nothing for no such limit.
  package var chunk: Int?
  /// New requests are admitted only once fewer than this share of the slots is taken; 1 admits always.
  package var refill: Double

  package init(_ mix: Mix, tokens: Int? = nil, chunk: Int? = nil, refill: Double = 1) {
    self.mix = mix
    self.tokens = tokens
    self.chunk = chunk
    self.refill = refill
  }

  // Asked in every step, where comparing the cases costs a call.
  var isChunked: Bool { if case .chunked = mix { true } else { false } }
  var isStatic: Bool { if case .static = mix { true } else { false } }
}
