import EventKernel
import Execution
import Quantities

/// Speculative decoding: tokens are drafted cheaply and verified together, and those that agree are kept.
///
/// How often drafts agree is the model's behaviour and an input. Chains draft one token after another; trees verify more
/// tokens than they are deep, which shows in `verified` and in higher acceptance.
package struct Speculation: Sendable {
  /// Probability that the token drafted at each depth is accepted, given that those before it were.
  package var acceptance: [Double]
  /// Drafted tokens verified in a step for each sequence: the depth of a chain, the nodes of a tree.
  package var verified: Int
  /// Speculation pauses while more sequences decode than this: verifying then costs more than it brings.
  package var batchLimit: Int
  /// The draft model where it runs, on the same devices; nothing for drafts that cost no device time, such as n-grams.
  package var draft: Deployment?
  /// The way there and back to a draft model elsewhere, once a step.
  package var trip = Seconds.zero
  /// Share of drafts that stand; the model writes the others anew, token by token. Nothing where the tokens drafted are
  /// accepted one by one.
  private(set) var kept: Double?

  /// - Parameter verified: Nothing for a chain.
  package init(acceptance: [Double], verified: Int? = nil, batchLimit: Int = .max, draft: Deployment? = nil) {
    self.acceptance = acceptance
    self.verified = verified ?? acceptance.count
    self.batchLimit = batchLimit
    self.draft = draft
  }

  /// Whole steps of a thought: the draft model writes one, the model scores it and writes it anew where it does not
  /// stand. Either way every sequence gains the step's tokens.
  /// - Parameter scoring: Tokens beside the step with which it is scored.
  package init(steps tokens: Int, kept: Double, scoring: Int, draft: Deployment) {
    self.init(
      acceptance: Array(repeating: 1, count: tokens - 1), verified: tokens - 1 + scoring, draft: draft)
    self.kept = kept
  }

  package var depth: Int { acceptance.count }

  /// Passes of the draft model in a step; of a thought it also writes the last token.
  var passes: Int { kept == nil ? depth : depth + 1 }

  /// Tokens a step yields on average: the accepted ones and the one the model adds.
  package var expectedTokens: Double {
    var sum = 1.0
    var chance = 1.0
    for share in acceptance {
      chance *= share
      sum += chance
    }
    return sum
  }

  /// Draws how many tokens a step yields.
  func draw(_ stream: inout RandomStream) -> Int {
    var tokens = 1
    for share in acceptance {
      guard stream.openUniform() < share else { break }
      tokens += 1
    }
    return tokens
  }
}
