/// What one step of a batch asks of a model: tokens for the dense operators, sums over sequences for attention.
///
/// Public for no other reason than that the serving engine, in a module of its own, forms millions a second.
///
/// Sums are enough because attention's FLOPs and traffic are linear in them; a step then costs the same to price for
/// one sequence or a thousand.
@frozen
public struct StepShape: Sendable, Equatable {
  /// Sequences that decode, and the tokens they attend to (the new one included), summed.
  public var decodeSequences = 0
  public var decodeContext = SpanSums()
  /// Tokens each of them computes: one, or with speculation also the drafted ones it verifies.
  public var decodeQueries = 1
  /// Prompt tokens in this step, and the sequences they belong to.
  public var prefillTokens = 0
  public var prefillSequences = 0
  /// Query-key pairs of the prompt tokens under the causal mask, summed.
  public var prefillPairs = SpanSums()
  /// Keys and values the prompt chunks read, summed.
  public var prefillKeys = SpanSums()
  /// Prompts that end in this step and so need logits.
  public var finishedPrompts = 0
  /// Tokens an encoder processes in this step, the sequences they belong to, and its query-key pairs (no mask), summed.
  public var encoderTokens = 0
  public var encoderSequences = 0
  public var encoderPairs = 0.0
  /// Encoder outputs that the step's decoder tokens attend to, summed.
  public var crossKeys = 0.0

  @inlinable public init() {}

  @inlinable public var decodeTokens: Int { decodeSequences * decodeQueries }
  @inlinable public var tokens: Int { decodeTokens + prefillTokens }
  @inlinable public var sampledTokens: Int { decodeTokens + finishedPrompts }
  @inlinable public var sequences: Int { decodeSequences + prefillSequences }

  /// Whether its prompt tokens are one prompt's, from the first token on.
  @inlinable public var isOneWholePrompt: Bool {
    prefillSequences == 1 && prefillKeys[0] == Double(prefillTokens) && finishedPrompts == 1
  }
}

/// One sum over sequences for each attention span of a model: full attention in lane 0, then its windows.
public typealias SpanSums = SIMD4<Double>

/// The distinct attention spans of a model, in the order of ``SpanSums``' lanes.
@frozen
public struct AttentionSpans: Sendable, Equatable {
  /// Window in tokens of lanes 1, 2, 3; `Int.max` where the lane is unused, which makes it a second full span.
  public let windows: SIMD4<Int>

  /// - Throws: ``TooManyWindows`` beyond three distinct windows.
  package init(of model: Model) throws(TooManyWindows) {
    var windows = SIMD4<Int>(repeating: Int.max)
    var used = 1
    for window in model.distinctWindows {
      guard used < 4 else { throw TooManyWindows(model: model.name, windows: model.distinctWindows) }
      windows[used] = window
      used += 1
    }
    self.windows = windows
  }

  /// Whether every layer attends to the whole context.
  @inlinable public var isUniform: Bool { windows == SIMD4<Int>(repeating: Int.max) }

  /// The lane of an attention operator's window.
  package func lane(of window: Int?) -> Int {
    guard let window else { return 0 }
    for lane in 1..<4 where windows[lane] == window { return lane }
    return 0
  }

  /// Tokens one query at the end of `context` tokens attends to, by span.
  @inlinable public func visible(_ context: Int) -> SpanSums {
    SpanSums(
      Double(context), Double(min(context, windows[1])), Double(min(context, windows[2])),
      Double(min(context, windows[3])))
  }

  /// Query-key pairs of a chunk of `tokens` that follows `start` cached tokens, by span.
  package func pairs(start: Int, tokens: Int) -> SpanSums {
    var sums = SpanSums()
    for lane in 0..<4 { sums[lane] = Self.pairs(start: start, tokens: tokens, window: windows[lane]) }
    return sums
  }

  /// Keys that a chunk of `tokens` after `start` cached tokens reads at least once, by span.
  package func keys(start: Int, tokens: Int) -> SpanSums {
    var sums = SpanSums()
    for lane in 0..<4 {
      let window = windows[lane]
      // A window counts the query itself, so the first query sees one cached token less.
      sums[lane] = Double(tokens + min(start, window - 1))
    }
    return sums
  }

  /// The sum over i in 1...tokens of min(start + i, window), in closed form.
  static func pairs(start: Int, tokens: Int, window: Int) -> Double {
    let growing = max(0, min(tokens, window - min(window, start)))
    let ramp = Double(growing) * Double(start) + Double(growing) * Double(growing + 1) / 2
    return growing == tokens ? ramp : ramp + Double(tokens - growing) * Double(window)
  }
}

package struct TooManyWindows: Error, CustomStringConvertible {
  package let model: String
  package let windows: [Int]

  package var description: String {
    "\(model) mixes attention windows of \(windows.map(String.init).joined(separator: ", ")) tokens; "
      + "at most three distinct ones are understood"
  }
}

extension Model {
  /// Attention windows of the decoder, ascending, each once.
  package var distinctWindows: [Int] {
    let attentions = decoder.runs.flatMap(\.layer.mixers).flatMap { mixer -> [Int] in
      switch mixer {
      case .attention(let attention): [attention.window].compactMap { $0 } + attention.cache.windows
      case .latentAttention(let latent): [latent.indexer?.selected].compactMap { $0 } + latent.cache.windows
      case .recurrent, .linear: []
      }
    }
    return Set(attentions).sorted()
  }
}

extension StepShape {
  /// A prefill of `sequences` equal prompts, whole or as one chunk after `start` cached tokens.
  package static func prefill(
    sequences: Int, tokens: Int, start: Int = 0, last: Bool = true, spans: AttentionSpans
  ) -> StepShape {
    var shape = StepShape()
    shape.addPrefill(sequences: sequences, tokens: tokens, start: start, last: last, spans: spans)
    return shape
  }

  /// One decode step of `sequences` equal sequences whose newest token makes `context` tokens.
  package static func decode(sequences: Int, context: Int, spans: AttentionSpans) -> StepShape {
    var shape = StepShape()
    shape.decodeSequences = sequences
    shape.decodeContext = Double(sequences) * spans.visible(context)
    return shape
  }

  /// Adds equal prompt chunks to a step.
  package mutating func addPrefill(sequences: Int, tokens: Int, start: Int, last: Bool, spans: AttentionSpans) {
    prefillSequences += sequences
    prefillTokens += sequences * tokens
    prefillPairs += Double(sequences) * spans.pairs(start: start, tokens: tokens)
    prefillKeys += Double(sequences) * spans.keys(start: start, tokens: tokens)
    if last { finishedPrompts += sequences }
  }
}
