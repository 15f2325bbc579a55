import EventKernel

/// One request of the offered traffic: when it arrives, and how much it asks for.
///
/// 40 bytes without anything on the heap, so that millions can be generated on the fly.
package struct Request: Sendable, Hashable {
  package var arrival: Instant
  /// Prompt tokens, at least 1.
  package var inputTokens: Int
  /// Tokens to generate, at least 1. Known to the simulated request alone: policies must not read it.
  package var outputTokens: Int
  /// The prompt's prefix blocks in the source's ``PrefixPool``; empty when the source knows none.
  package var prefix: PrefixRange

  package init(arrival: Instant, inputTokens: Int, outputTokens: Int, prefix: PrefixRange = .none) {
    self.arrival = arrival
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.prefix = prefix
  }

  /// The most tokens a prompt or an answer may have; more is a slip in the file.
  package static let largestTokens = 100_000_000
}
