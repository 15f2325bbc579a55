/// Chooses the replica a request goes to.
///
/// A router sees what replicas report, as old as declared, never their insides.
package protocol Router: Sendable, SendableMetatype {
  static var description: PolicyDescription { get }
  /// - Parameter seed: For routers that draw lots; others ignore it.
  init(_ values: PolicyValues, seed: UInt64)

  /// Whether it looks at caches, which takes time to report.
  var looksAtCaches: Bool { get }
  /// - Parameter replicas: Those that take requests, at least one.
  /// - Returns: A position in `replicas`.
  mutating func choose(_ request: RoutedRequest, among replicas: [ReplicaSignals]) -> Int
}

extension Router {
  package var looksAtCaches: Bool { false }
}

/// What a router knows of a request.
package struct RoutedRequest: Sendable {
  package var now: Int64
  package var id: Int
  package var inputTokens: Int
  /// As the router's scheduler predicts it; 0 when nobody does.
  package var predictedTokens: Int
  /// -1 for none.
  package var session: Int32
  /// The stream of its prompt; -1 for none.
  package var stream: Int32
}

/// What a replica reports to routers and admission.
package struct ReplicaSignals: Sendable {
  package var replica: Int
  /// Requests there, waiting or running.
  package var outstanding: Int
  package var waiting: Int
  package var running: Int
  /// Prompt tokens that wait, and those a request would find in the prefix cache.
  package var waitingTokens: Int
  package var cachedTokens: Int
  /// Share of the KV blocks in use.
  package var occupancy: Double
  /// US dollars an hour; 0 when unknown.
  package var price: Double
  /// Output tokens a second it can sustain, relative to the others.
  package var speed: Double
}
