import EventKernel

/// One request of the offered traffic: when it arrives, and how much it asks for.
///
/// Small and without anything on the heap, so that millions can be generated on the fly.
package struct Request: Sendable, Hashable {
  package var arrival: Instant
  /// Prompt tokens, at least 1.
  package var inputTokens: Int
  /// Tokens to generate, at least 1. Known to the simulated request alone: policies must not read it.
  package var outputTokens: Int
  /// The prompt's prefix blocks in the source's ``PrefixPool``; empty when the source knows none.
  package var prefix: PrefixRange
  /// What the prompt has in common with other requests.
  package var prompt = PromptIdentity.unique
  /// Its ``RequestClass``, by position in the source's list.
  package var classIndex: UInt16 = 0
  /// Answers to generate from the one prompt: `n`, or `best_of`.
  package var samples: UInt16 = 1
  /// The LoRA adapter it is for, from 0; nothing for the base model.
  package var adapter: UInt16?
  /// The session it belongs to, by the source's own numbering; -1 for none.
  package var session: Int32 = -1
  /// When its user gives up waiting for the answer, after arrival; nothing for never.
  package var patience: Int64?

  package init(arrival: Instant, inputTokens: Int, outputTokens: Int, prefix: PrefixRange = .none) {
    self.arrival = arrival
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.prefix = prefix
  }

  /// The most tokens a prompt or an answer may have; more is a slip in the file.
  package static let largestTokens = 100_000_000
}

/// Which tokens of a prompt other requests have too.
package struct PromptIdentity: Sendable, Hashable {
  /// The stream of tokens in the source's ``PrefixForest`` that the prompt begins with; -1 for none.
  package var stream: Int32
  /// How many of the prompt's first tokens are the stream's.
  package var tokens: Int32
  /// Whether the answer goes on the stream, so that a later turn can find it there.
  package var answerContinues: Bool

  /// A prompt nobody else has.
  package static let unique = PromptIdentity(stream: -1, tokens: 0, answerContinues: false)

  package init(stream: Int32, tokens: Int32, answerContinues: Bool = false) {
    self.stream = stream
    self.tokens = tokens
    self.answerContinues = answerContinues
  }
}
