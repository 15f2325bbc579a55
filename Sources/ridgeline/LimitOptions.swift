import ArgumentParser
import Studies

/// Limits of the scheduler that replace the runtime's.
struct LimitOptions: ParsableArguments {
  @Option(
    name: .customLong("max-num-batched-tokens"), parsing: .unconditional,
    help: "Tokens a step may process; default: the runtime's.")
  var maxBatchedTokens: Int?

  @Option(
    name: .customLong("max-num-seqs"), parsing: .unconditional,
    help: "Sequences admitted at once; default: the runtime's.")
  var maxSequences: Int?

  @Option(
    name: .customLong("micro-batch-seqs"), parsing: .unconditional,
    help: "With --pp, sequences in one micro-batch; default: --max-num-seqs over the stages, rounded up.")
  var microBatchSequences: Int?

  @Option(
    name: .customLong("max-model-len"), parsing: .unconditional, help: "Longest sequence served; default: the model's.")
  var maxModelLength: Int?

  @Option(
    name: .customLong("num-kv-blocks"), parsing: .unconditional,
    help: "KV blocks; default: what fits in memory by the runtime's rule.")
  var blocks: Int?

  @Option(
    parsing: .unconditional, help: "Prompt tokens of one request in a step at most; default: no such limit.")
  var longPrefillThreshold: Int?

  func apply(to limits: inout LimitSettings) throws {
    if let maxBatchedTokens {
      limits.maxBatchedTokens = try checked(maxBatchedTokens, "--max-num-batched-tokens", 1...10_000_000)
    }
    if let maxSequences { limits.maxSequences = try checked(maxSequences, "--max-num-seqs", 1...1_000_000) }
    if let microBatchSequences {
      limits.microBatchSequences = try checked(microBatchSequences, "--micro-batch-seqs", 1...1_000_000)
    }
    if let maxModelLength { limits.maxModelLength = try checked(maxModelLength, "--max-model-len", 2...1_000_000_000) }
    if let blocks { limits.blocks = try checked(blocks, "--num-kv-blocks", 1...1_000_000_000) }
    if let longPrefillThreshold {
      limits.longPrefillThreshold = try checked(longPrefillThreshold, "--long-prefill-threshold", 1...10_000_000)
    }
  }
}
