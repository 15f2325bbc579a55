/// Which tokens of its context an attention layer keeps in memory, and which it reads.
///
/// Everything is linear in the context and in its last so many tokens, so that sums over sequences are enough.
package struct CacheRule: Sendable, Hashable {
  /// What stays in memory.
  package var kept: [ContextPart]
  /// What a decode query attends to.
  package var attended: [ContextPart]
  /// What is read besides to choose or score, as shares of a token's keys and values.
  package var scanned: [ContextPart]
  /// Query-key pairs that prompts compute.
  package var prompted: [ContextPart]
  /// Tokens at the end that stay in 16 bits while others lie in the cache's format.
  package var recent: Int?

  package init(
    kept: [ContextPart] = [.all], attended: [ContextPart] = [.all], scanned: [ContextPart] = [],
    prompted: [ContextPart] = [.all], recent: Int? = nil
  ) {
    self.kept = kept
    self.attended = attended
    self.scanned = scanned
    self.prompted = prompted
    self.recent = recent
  }

  /// All tokens, kept and read.
  package static let full = CacheRule()

  /// Windows it needs sums of.
  var windows: [Int] { (kept + attended + scanned + prompted).compactMap(\.window) + (recent.map { [$0] } ?? []) }
}

/// A share of a context, or of its last tokens.
package struct ContextPart: Sendable, Hashable {
  /// The last so many tokens; nothing for all the layer sees.
  package var window: Int?
  package var share: Double

  package init(window: Int? = nil, share: Double = 1) {
    self.window = window
    self.share = share
  }

  package static let all = ContextPart()
}

/// Which phases run a part of a layer.
package struct Phases: Sendable, Hashable {
  package var prefill: Bool
  package var decode: Bool

  package init(prefill: Bool, decode: Bool) {
    self.prefill = prefill
    self.decode = decode
  }

  package static let both = Phases(prefill: true, decode: true)
}

extension AttentionSpans {
  /// How much each span's sum counts.
  /// - Parameter window: What the layer itself sees; nothing for all.
  package func weights(_ parts: [ContextPart], within window: Int?) -> SpanSums {
    parts.reduce(into: SpanSums()) { $0[lane(of: $1.window ?? window)] += $1.share }
  }
}

extension Model {
  /// Whether some layer's cache holds a number of tokens that does not grow with the context, beside plain windows.
  package var keepsFixedBudgets: Bool {
    decoder.runs.flatMap(\.layer.mixers).contains { mixer in
      switch mixer {
      case .attention(let attention): attention.cache.kept.contains { $0.window != nil }
      case .latentAttention(let latent): latent.cache.kept.contains { $0.window != nil }
      case .recurrent, .linear: false
      }
    }
  }
}

extension Model {
  /// The tokens that every layer's cache holds at most, where they are the same for all; nothing where some layer's
  /// cache grows on.
  package var commonBudget: Int? {
    var budget: Int?
    for mixer in decoder.runs.flatMap(\.layer.mixers) {
      let kept: [ContextPart]
      switch mixer {
      case .attention(let attention): kept = attention.cache.kept
      case .latentAttention(let latent): kept = latent.cache.kept
      case .recurrent, .linear: continue
      }
      guard kept.count == 1, kept[0].share == 1, let window = kept[0].window, budget == nil || budget == window else {
        return nil
      }
      budget = window
    }
    return budget
  }
}

extension StepShape {
  /// What a layer sees of a step when only some phases run it, and when some tokens of each prompt no longer reach it.
  /// - Parameter dropped: Tokens of each sequence that were taken out in earlier layers.
  func reaching(_ phases: Phases, dropped: Int) -> StepShape {
    var step = self
    if !phases.decode { step.decodeSequences = 0 }
    if !phases.prefill { step.prefillTokens = 0 }
    guard dropped > 0 else { return step }
    if step.prefillTokens > 0 {
      let left = max(step.prefillSequences, step.prefillTokens - dropped * step.prefillSequences)
      let share = Double(left) / Double(step.prefillTokens)
      step.prefillTokens = left
      step.prefillPairs *= share * share
      step.prefillKeys *= share
    }
    let gone = SpanSums(repeating: Double(dropped * step.decodeSequences))
    step.decodeContext = pointwiseMax(
      SpanSums(repeating: Double(step.decodeSequences)), pointwiseMin(step.decodeContext, step.decodeContext[0] - gone))
    return step
  }
}
