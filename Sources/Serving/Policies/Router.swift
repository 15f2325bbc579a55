/// Chooses the replica a request goes to.
///
/// A router sees what replicas report, as old as declared, never their insides.
///
/// To add one: a file in `Routers`, and a line in ``Routers/all``. Help, documents and the invariant tests follow.
package protocol Router: Sendable, SendableMetatype {
  static var description: PolicyDescription { get }
  /// - Parameter seed: For routers that draw lots; others ignore it.
  init(_ values: PolicyValues, seed: UInt64)

  /// The signals it reads beyond counts of requests, which take time to report.
  var needs: SignalNeeds { get }
  /// What it knows of answers' lengths.
  var lengths: LengthKnowledge { get }
  /// - Parameter replicas: Those that take the request, at least one, in a fixed order.
  /// - Returns: A position in `replicas`.
  mutating func choose(_ request: RoutedRequest, among replicas: [ReplicaSignals]) -> Int
}

extension Router {
  package var needs: SignalNeeds { [] }
  package var lengths: LengthKnowledge { .none }
}

/// Signals that are reported only to those who read them.
package struct SignalNeeds: OptionSet, Sendable {
  package let rawValue: Int

  package init(rawValue: Int) { self.rawValue = rawValue }

  package static let occupancy = SignalNeeds(rawValue: 1)
  package static let cachedTokens = SignalNeeds(rawValue: 2)
}

/// What a router knows of a request.
package struct RoutedRequest: Sendable {
  package var now: Int64
  package var id: Int
  package var inputTokens: Int
  /// As the router's ``Router/lengths`` allow; 0 with none.
  package var predictedTokens: Int
  /// -1 for none.
  package var session: Int32
  /// The stream of its prompt; -1 for none.
  package var stream: Int32
}

/// What a replica reports to routers and admission.
package struct ReplicaSignals: Sendable {
  package var replica: Int
  /// When it was so, in nanoseconds.
  package var time: Int64 = 0
  /// Requests there, waiting or running.
  package var outstanding = 0
  package var waiting = 0
  package var running = 0
  /// Prompt tokens yet to be computed, of requests that wait and of prompts in work.
  package var waitingTokens = 0
  /// Of these, how many a second it computes; 0 when that is not measured, or not known yet.
  package var promptRate = 0.0
  /// Prompt tokens that the request would find in the prefix cache.
  package var cachedTokens = 0
  /// Share of the KV blocks in use.
  package var occupancy = 0.0
  /// US dollars an hour; 0 when unknown.
  package var price = 0.0
  /// Tokens a second it generates with a reference batch, relative to the fastest replica.
  package var speed = 1.0

  package init(replica: Int) { self.replica = replica }
}

extension [ReplicaSignals] {
  /// The position of the least by an order, the first one from `start` on, round the end, among equals.
  @inline(__always)
  func least(from start: Int, by isLess: (ReplicaSignals, ReplicaSignals) -> Bool) -> Int {
    withUnsafeBufferPointer { all in
      let first = start % all.count
      var best = first
      for index in first..<all.count where isLess(all[index], all[best]) { best = index }
      for index in 0..<first where isLess(all[index], all[best]) { best = index }
      return best
    }
  }
}
