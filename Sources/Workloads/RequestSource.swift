import EventKernel

/// Requests in order of arrival, one at a time, in constant memory.
///
/// A trace reads them from a file, a generator makes them up. Arrivals never go back.
package protocol RequestSource {
  /// The next request, or nothing after the last.
  /// - Throws: `DataError`, naming file and line, when a trace is faulty.
  mutating func next() throws -> Request?

  /// The request that an ended one brings forth, not before its end: a session's next turn after the think time, a
  /// closed loop's next one. Called once for every request that ends, however it ends.
  mutating func followUp(after request: Request, endedAt: Instant, completed: Bool) -> Request?

  /// How many requests there are in all, when that is known beforehand.
  var count: Int? { get }

  /// What requests' class indices refer to; at least one.
  var classes: [RequestClass] { get }

  /// The blocks that the requests' prefixes refer to; nothing when the source knows no prefixes.
  var prefixes: PrefixPool? { get }

  /// The streams that prompts begin with; nothing when every prompt is its own.
  var forest: PrefixForest? { get }
}

extension RequestSource {
  package mutating func followUp(after request: Request, endedAt: Instant, completed: Bool) -> Request? { nil }
  package var classes: [RequestClass] { [.standard] }
  package var prefixes: PrefixPool? { nil }
  package var forest: PrefixForest? { nil }
}
