import CostModels
import Hardware
import ModelGraph
import Quantities

/// What fills the main memory of one device, and what room is left for sequences.
package struct MemoryLedger: Sendable {
  /// Capacity of the device and the share the runtime may fill.
  package let capacity: Bytes
  package let usable: Bytes
  package let weights: Bytes
  /// Activations alive during the largest step the runtime forms.
  package let activations: Bytes
  /// The runtime's own buffers.
  package let reserved: Bytes
  /// What is left for KV cache and state; negative when weights alone do not fit.
  package let cacheRoom: Bytes
  package let footprint: Footprint
  package let blockSize: Int

  /// Whether the model loads at all.
  package var weightsFit: Bool { cacheRoom > .zero }

  /// Bytes missing before the model loads.
  package var missing: Bytes { max(.zero, Bytes(0.0) - cacheRoom) }

  /// Cache of one sequence of so many tokens, in whole blocks.
  package func cache(tokens: Int) -> Bytes {
    footprint.sequence(tokens: tokens.dividedUp(by: blockSize) * blockSize)
  }

  /// Most sequences of so many tokens that fit at once.
  package func largestBatch(tokens: Int) -> Int {
    guard weightsFit else { return 0 }
    let each = cache(tokens: tokens)
    guard each > .zero else { return Int.max }
    return Int(min(1e12, (cacheRoom / each).rounded(.down)))
  }

  /// Cache of one sequence of a batch at its end; of what sequences share, each counts its part.
  package func cache(of batch: BatchCase) -> Bytes {
    let reach = batch.inputTokens + batch.outputTokens - 1
    guard batch.answersPerPrompt > 1 else { return cache(tokens: reach) }
    let prompt = cache(tokens: batch.inputTokens)
    let answer = max(.zero, cache(tokens: reach) - prompt)
    let shared = 1 / Double(batch.answersPerPrompt)
    return prompt * shared + answer * (1 - batch.sharedAnswer + batch.sharedAnswer * shared)
  }

  /// Most sequences of a batch's lengths that fit at once.
  package func largestBatch(_ batch: BatchCase) -> Int {
    guard weightsFit else { return 0 }
    let each = cache(of: batch)
    guard each > .zero else { return Int.max }
    return Int(min(1e12, (cacheRoom / each).rounded(.down)))
  }

  /// Longest context that so many sequences can all reach; nothing when it is unlimited.
  package func longestContext(sequences: Int) -> Int? {
    guard weightsFit else { return 0 }
    guard footprint.kvPerTokenEveryLayer > .zero else { return nil }
    var low = 0
    var high = 1 << 40
    while low < high {
      let middle = (low + high + 1) / 2
      if cache(tokens: middle) * Double(sequences) <= cacheRoom { low = middle } else { high = middle - 1 }
    }
    return low == 1 << 40 ? nil : low
  }

  /// KV blocks for the paged engine, which keeps every token in every layer, beside what is set aside.
  package func blocks(beside setAside: Bytes = .zero) -> Int {
    let block = footprint.kvPerTokenEveryLayer * Double(blockSize)
    guard cacheRoom > setAside, block > .zero else { return 0 }
    return Int(min(1e12, ((cacheRoom - setAside) / block).rounded(.down)))
  }
}

extension Deployment {
  /// The ledger of the fullest device.
  ///
  /// Activations follow the runtime's own rule: the largest step it may form, not the step at hand.
  package func memoryLedger() -> MemoryLedger {
    let capacity = platform.device.mainMemory?.capacity ?? .zero
    let share = capacity * runtime.memoryFraction
    // A small model on another place takes nothing here.
    let beside = decoding?.way == nil ? [decoding?.draft, decoding?.assistant] : []
    let footprint = beside.compactMap { $0?.graph.footprint }
      .reduce(graph.footprint) { $0.adding($1) }
    if let placement {
      let small = beside.compactMap { $0?.graph.footprint.weights }.reduce(Bytes.zero, +)
      return placement.ledger(capacity: capacity, usable: share, beside: small, footprint: footprint)
    }
    let activations = graph.liveActivations(
      tokens: runtime.maxBatchedTokens, sampled: min(runtime.maxSequences, runtime.maxBatchedTokens))
    let reserved = runtime.reservedMemory + (parallelism.tensor > 1 ? runtime.reservedForPeers : .zero)
    let taken = footprint.weights + activations + reserved
    let usable = runtime.memoryBasis == .device ? share : usable(beside: taken, of: capacity)
    return MemoryLedger(
      capacity: capacity, usable: usable, weights: footprint.weights, activations: activations,
      reserved: reserved, cacheRoom: usable - taken, footprint: footprint, blockSize: runtime.blockSize)
  }

  /// All but the part of what is free that the runtime leaves alone.
  private func usable(beside taken: Bytes, of capacity: Bytes) -> Bytes {
    capacity - max(.zero, capacity - taken) * (1 - runtime.memoryFraction)
  }
}
