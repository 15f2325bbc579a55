import CostModels
import ModelGraph
import Quantities

/// A static batch: equal prompts that start together and generate the same number of tokens.
package struct BatchCase: Sendable, Hashable {
  package var sequences: Int
  package var inputTokens: Int
  package var outputTokens: Int
  /// Sequences that answer the same prompt, which is prefilled and cached once for them.
  package var answersPerPrompt = 1
  /// Share of an answer that those sequences have in common.
  package var sharedAnswer = 0.0

  /// Prompts that are prefilled.
  package var prompts: Int { sequences.dividedUp(by: answersPerPrompt) }

  /// What any reader of cases accepts.
  package static let sequenceRange = 1...1_000_000
  package static let tokenRange = 1...100_000_000

  package init(sequences: Int, inputTokens: Int, outputTokens: Int) {
    self.sequences = sequences
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
  }
}

/// What serving one static batch costs.
package struct Prediction: Sendable {
  /// Until every sequence of the batch (or of its first wave) has its first token.
  package var ttft: Seconds
  /// Mean time of one decode step; nothing when one token is generated.
  package var tpot: Seconds?
  /// Until the last sequence ends, all waves.
  package var endToEnd: Seconds
  package var energy: Joules
  package var prefillBound: Bound
  package var decodeBound: Bound?
  /// Times the batch is served in because its cache does not fit at once; 1 when it does.
  package var waves: Int
  /// Generated tokens, and prompt plus generated tokens, a second.
  package var outputRate: Double
  package var totalRate: Double
  package var ledger: MemoryLedger
  /// Time of work after which the case has taken up its heat and clocks fall; nothing when they do not.
  package var throttledAfter: Seconds?

  /// Mean power of all devices.
  package var power: Watts { energy / endToEnd }
}

/// Why a case has no prediction.
package enum PredictionError: Error, CustomStringConvertible, Sendable {
  case weightsDoNotFit(model: String, platform: String, missing: Bytes, ledger: MemoryLedger)
  case cacheDoesNotFit(batch: BatchCase, missing: Bytes, largestBatch: Int, longestContext: Int?)
  case contextTooLong(tokens: Int, limit: Int, model: String)

  package var description: String {
    switch self {
    case .weightsDoNotFit(let model, let platform, let missing, let ledger):
      "\(model) does not fit on \(platform): \(missing) are missing on each device (weights \(ledger.weights), "
        + "activations \(ledger.activations), runtime \(ledger.reserved) of \(ledger.usable) usable); "
        + "try more tensor parallelism (--tp) or a narrower weight format (--weights)"
    case .cacheDoesNotFit(let batch, let missing, let largest, let longest):
      "the KV cache of \(batch.sequences) sequences of \(batch.inputTokens + batch.outputTokens) tokens does not fit: "
        + "\(missing) are missing; the largest batch is \(largest)"
        + (longest.map { ", the longest context at this batch \($0) tokens" } ?? "")
        + (largest > 0
          ? "; --waves serves it in several rounds"
          : "; not even one fits: try more tensor parallelism (--tp) or a narrower --kv-format")
    case .contextTooLong(let tokens, let limit, let model):
      "\(tokens) tokens exceed the \(limit) positions of \(model); --any-length prices it all the same"
    }
  }
}
