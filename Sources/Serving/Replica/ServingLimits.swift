import Execution
import ModelGraph
import Quantities
import Workloads

/// The limits one replica's scheduler works within, by the names serving runtimes use.
package struct ServingLimits: Sendable, Equatable {
  /// Tokens one step may process, prompts and decodes together; with pipeline stages, each micro-batch.
  package var maxBatchedTokens: Int
  /// Sequences that may be admitted at once, in all micro-batches together.
  package var maxSequences: Int
  /// Pipeline stages; ``ReplicaPlan`` sets it.
  package internal(set) var stages = 1
  /// Sequences in one micro-batch of a pipeline; nothing for an even share of ``maxSequences``.
  package var microBatchSequences: Int?
  /// Longest sequence served, prompt and answer together; longer requests are rejected.
  package var maxModelLength: Int
  /// Tokens in one KV block.
  package var blockSize: Int
  /// KV blocks of the replica.
  package var blocks: Int
  /// Blocks kept free when a request is admitted, so that running ones can grow.
  package var watermarkBlocks: Int
  /// Whether a prompt may be cut to the token budget; otherwise it runs whole, alone if it exceeds the budget.
  package var chunkedPrefill: Bool
  /// Whether a step is put together while the one before runs.
  package var schedulesAhead = false
  /// Tokens of a sequence that its cache holds at most; others have left it. As many as there are without a budget.
  package var keptTokens = Int.max
  /// Whether a request enters only when the cache can hold its whole answer beside the running ones'.
  package var reservesAnswers = false

  package init(
    maxBatchedTokens: Int, maxSequences: Int, maxModelLength: Int, blockSize: Int, blocks: Int,
    watermarkBlocks: Int = 0, chunkedPrefill: Bool = true
  ) {
    self.maxBatchedTokens = maxBatchedTokens
    self.maxSequences = maxSequences
    self.maxModelLength = maxModelLength
    self.blockSize = blockSize
    self.blocks = blocks
    self.watermarkBlocks = watermarkBlocks
    self.chunkedPrefill = chunkedPrefill
  }

  /// The limits a deployment's runtime sets: its defaults, the model's length, and blocks by the memory ledger.
  /// - Parameters:
  ///   - sequences: Sequences admitted at once, in place of the runtime's.
  ///   - draft: A draft model on the same devices, whose weights and cache take their part.
  package init(_ deployment: Deployment, sequences wanted: Int? = nil, draft: Deployment? = nil) {
    let runtime = deployment.runtime
    let ledger = deployment.memoryLedger()
    // Constant states are set aside for as many sequences as may be admitted; they take half of the room at most.
    let state = ledger.footprint.statePerSequence
    let keepsTokens = ledger.footprint.kvPerTokenEveryLayer > .zero
    let room = keepsTokens ? ledger.cacheRoom * 0.5 : ledger.cacheRoom
    let fitting = state > .zero ? Int(min(1e9, max(0.0, room / state).rounded(.down))) : Int.max
    let sequences = min(wanted ?? runtime.contextSlots ?? runtime.maxSequences, max(1, fitting))
    let context = deployment.model.contextLimit ?? Int(Int32.max)
    let longest = runtime.contextSlots == nil ? context : max(2, context / sequences)
    let other = draft?.graph.footprint
    let share =
      other.map {
        ledger.footprint.kvPerTokenEveryLayer / ($0.kvPerTokenEveryLayer + ledger.footprint.kvPerTokenEveryLayer)
      } ?? 1
    let setAside = state * Double(sequences) + (other?.weights ?? .zero)
    let alone = keepsTokens ? ledger.blocks(beside: setAside) : fitting > 0 ? Int(Int32.max) : 0
    let fits = keepsTokens ? Int(Double(alone) * share) : alone
    // Slots take up what they may hold, and no more.
    let blocks = runtime.contextSlots != nil && keepsTokens ? min(fits, context / runtime.blockSize) : fits
    self.init(
      maxBatchedTokens: runtime.maxBatchedTokens, maxSequences: sequences,
      maxModelLength: longest, blockSize: runtime.blockSize, blocks: blocks,
      watermarkBlocks: Int(Double(blocks) * runtime.watermark), chunkedPrefill: runtime.chunkedPrefill)
    schedulesAhead = runtime.schedulesAhead
    reservesAnswers = runtime.reservesAnswers
    keptTokens = deployment.model.commonBudget ?? .max
  }

  /// Sequences in one batch: with stages, by default as many as make the limit when every micro-batch has them (SGLang's
  /// `--pp-max-micro-batch-size`), rounded up so that none is lost.
  package var batchSequences: Int {
    stages == 1 ? maxSequences : min(maxSequences, microBatchSequences ?? maxSequences.dividedUp(by: stages))
  }

  /// Blocks that a sequence of so many tokens takes.
  func blocks(for tokens: Int) -> Int { (min(tokens, keptTokens) + blockSize - 1) / blockSize }

  /// Whether the runtime takes a request at all: within the model's length, the slots, and the whole cache.
  func canServe(_ request: Request) -> Bool {
    let tokens = request.inputTokens + request.outputTokens
    let samples = Int(request.samples)
    let shared = samples > 1 ? min(request.inputTokens, keptTokens) / blockSize : 0
    let own = blocks(for: tokens - 1) - shared
    return tokens <= maxModelLength && samples <= batchSequences
      && shared + own * samples <= blocks - watermarkBlocks
  }
}
