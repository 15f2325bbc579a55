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

  /// - Parameter verified: Nothing for a chain.
  package init(acceptance: [Double], verified: Int? = nil, batchLimit: Int = .max, draft: Deployment? = nil) {
    self.acceptance = acceptance
    self.verified = verified ?? acceptance.count
    self.batchLimit = batchLimit
    self.draft = draft
  }

  package var depth: Int { acceptance.count }

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
