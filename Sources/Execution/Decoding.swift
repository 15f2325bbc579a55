import CostModels
import ModelGraph
import Quantities
import Techniques

/// How a deployment decodes beyond one token at a time: what drafts run on, and what writes steps of a thought.
package struct Decoding: Sendable {
  package var drafting: Drafting?
  package var reasoning: StepSpeculation?
  /// The way between the small model and the large one, where they are on unlike places.
  package var way: DraftWay?
  /// Share of the tokens that the small model answers with by itself.
  package var alone = 0.0
  /// The draft and the small model that writes steps, on the same devices; one or none.
  fileprivate let drafts: [Deployment]
  fileprivate let assistants: [Deployment]

  init(drafting: Drafting?, draft: Deployment?, reasoning: StepSpeculation?, assistant: Deployment?) {
    self.drafting = drafting
    self.reasoning = reasoning
    drafts = draft.map { [$0] } ?? []
    assistants = assistant.map { [$0] } ?? []
  }

  package var draft: Deployment? { drafts.first }
  package var assistant: Deployment? { assistants.first }
}

/// The way between a small model on one place and the large one on another: what is drafted goes there, what is accepted
/// comes back, as numbers of tokens.
package struct DraftWay: Sendable, Equatable {
  /// Of both ways together.
  package var latency: Seconds
  package var bandwidth: BytesPerSecond

  private static let tokenSize = Bytes(4)

  /// A message of so many tokens there and one as long back.
  package func round(tokens: Int) -> Seconds { latency + Self.tokenSize * Double(2 * tokens) / bandwidth }
}

/// What one token of every sequence costs, on average.
package struct TokenCost: Sendable {
  package var time: Seconds
  package var bottleneck: Seconds
  package var energy: Joules
  package var byBound: TimeByBound

  init(_ price: StepPrice) {
    time = price.time
    bottleneck = price.bottleneck
    energy = price.energy
    byBound = price.timeByBound
  }

  /// Adds another cost a number of times.
  mutating func add(_ other: TokenCost, times factor: Double) {
    time += other.time * factor
    bottleneck += other.bottleneck * factor
    energy += other.energy * factor
    byBound.add(other.byBound, times: factor)
  }

  mutating func scale(by factor: Double) { divide(by: 1 / factor) }

  /// Waits for a message.
  mutating func wait(_ time: Seconds) {
    self.time += time
    bottleneck += time
    byBound[.link] += time
  }

  mutating func divide(by tokens: Double) {
    var sum = TimeByBound()
    sum.add(byBound, times: 1 / tokens)
    byBound = sum
    time = time * (1 / tokens)
    bottleneck = bottleneck * (1 / tokens)
    energy = energy * (1 / tokens)
  }
}

extension Deployment {
  /// The mean cost of one more token of every sequence: a step, or its share of a cycle of drafts and verification.
  /// - Parameter step: A decode step with one token of each sequence.
  package func tokenCost(_ step: StepShape) -> TokenCost {
    if let reasoning = decoding?.reasoning, let assistant = decoding?.assistant {
      return thought(reasoning, assistant, step)
    }
    return ownTokenCost(step)
  }

  /// The same without a small model that writes steps of a thought.
  private func ownTokenCost(_ step: StepShape) -> TokenCost {
    let cost = decoding?.drafting.map { cycle($0, step) } ?? TokenCost(price(step))
    guard let alone = decoding?.alone, alone > 0, let draft = decoding?.draft else { return cost }
    var both = TokenCost(draft.price(step))
    both.scale(by: alone)
    both.add(cost, times: 1 - alone)
    return both
  }

  /// Drafts, one pass after another, and the model over all that was drafted, for so many tokens.
  private func cycle(_ drafting: Drafting, _ step: StepShape) -> TokenCost {
    var verifying = step
    verifying.decodeQueries = drafting.verified + 1
    var cost = TokenCost(price(verifying))
    if let draft = decoding?.draft {
      var pass = step
      // The first pass takes in what the last cycle accepted, and is scheduled as a step is.
      pass.decodeQueries = max(1, Int(drafting.tokensPerCycle.rounded(.up)))
      let constants = pricer.constants
      cost.add(draft.draftCost(pass), times: 1)
      cost.time += constants.time(.stepOverhead) + constants.time(.stepPerSequence) * Double(step.sequences)
      pass.decodeQueries = drafting.width
      if drafting.depth > 1 { cost.add(draft.draftCost(pass), times: Double(drafting.depth - 1)) }
    }
    if let way = decoding?.way { cost.wait(way.round(tokens: drafting.verified * step.decodeSequences)) }
    cost.divide(by: drafting.tokensPerCycle)
    return cost
  }

  /// A pass of a draft: its devices' time and its launches. Passes follow one another without scheduling between them.
  private func draftCost(_ step: StepShape) -> TokenCost {
    let price = price(step)
    var cost = TokenCost(price)
    let constants = pricer.constants
    let scheduling = constants.time(.stepOverhead) + constants.time(.stepPerSequence) * Double(step.decodeTokens)
    cost.time = max(price.deviceTime, price.time - scheduling)
    cost.bottleneck = cost.time
    cost.byBound[.host] = cost.time - price.deviceTime
    return cost
  }

  /// Steps of a thought: written by the assistant, scored by this model, and some written anew.
  private func thought(
    _ reasoning: StepSpeculation, _ assistant: Deployment, _ step: StepShape
  ) -> TokenCost {
    let tokens = Double(reasoning.tokensPerStep)
    let context = Int(step.decodeContext[0]) / max(1, step.decodeSequences)
    let scoring = StepShape.prefill(
      sequences: step.decodeSequences, tokens: reasoning.tokensPerStep + reasoning.scoringTokens, start: context,
      spans: graph.spans)
    var cost = TokenCost(price(scoring))
    cost.add(TokenCost(assistant.price(step)), times: tokens)
    let (chance, again) = rewritten(step, kept: reasoning.accepted)
    if chance > 0 { cost.add(ownTokenCost(again), times: tokens * chance) }
    if let way = decoding?.way { cost.wait(way.round(tokens: reasoning.tokensPerStep * step.decodeSequences)) }
    cost.divide(by: tokens)
    return cost
  }

  /// How likely it is that some sequence of a batch writes its step anew, which the others wait for, and the decode step
  /// of the mean number that do.
  private func rewritten(_ step: StepShape, kept: Double) -> (chance: Double, step: StepShape) {
    var all = 1.0
    for _ in 0..<step.decodeSequences { all *= kept }
    guard all < 1 else { return (0, step) }
    let mean = Double(step.decodeSequences) * (1 - kept) / (1 - all)
    var again = step
    again.decodeSequences = max(1, min(step.decodeSequences, Int(mean.rounded())))
    again.decodeContext = step.decodeContext * (Double(again.decodeSequences) / Double(step.decodeSequences))
    return (1 - all, again)
  }

  /// A batch as techniques make of it: images, further answers, other lengths, several questions in a prompt.
  package func rewritten(_ batch: BatchCase) -> BatchCase {
    let rewrite = workload
    var batch = batch
    if rewrite.questions > 1 {
      let own = max(1, batch.inputTokens - rewrite.sharedPrompt)
      batch.inputTokens = rewrite.sharedPrompt + own * rewrite.questions
      batch.outputTokens *= rewrite.questions
      batch.sequences = batch.sequences.dividedUp(by: rewrite.questions)
    }
    batch.inputTokens += rewrite.imageTokens
    batch.outputTokens = max(1, Int((Double(batch.outputTokens) * rewrite.outputFactor).rounded()))
    batch.sequences *= rewrite.samples
    batch.answersPerPrompt *= rewrite.samples
    batch.sharedAnswer = rewrite.sharedAnswer
    return batch
  }
}
