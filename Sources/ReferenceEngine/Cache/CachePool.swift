import CKernels
import Quantities

/// Keys and values of all layers in blocks of 16 tokens, handed out to sequences.
package final class CachePool {
  package let blockTokens = Int(RK_LANES)
  package let blocks: Int
  private let shape: EngineShape
  private let keys: [FloatBuffer]
  private let values: [FloatBuffer]
  private var free: [Int32]

  /// - Parameter order: The order in which blocks are handed out; ascending unless a test wants another.
  package init(_ shape: EngineShape, blocks: Int, order: [Int32]? = nil) {
    self.shape = shape
    self.blocks = blocks
    let count = blocks * Int(RK_LANES) * shape.keyWidth
    keys = (0..<shape.layers).map { _ in FloatBuffer(count: count) }
    values = (0..<shape.layers).map { _ in FloatBuffer(count: count) }
    free = (order ?? (0..<Int32(blocks)).map { $0 }).reversed()
  }

  package var freeBlocks: Int { free.count }

  /// What one block takes in memory, all layers.
  package var blockSize: Bytes { Bytes(8 * blockTokens * shape.keyWidth * shape.layers) }

  /// Blocks that so many more tokens of a sequence need.
  package func blocksNeeded(_ sequence: CachedSequence, tokens: Int) -> Int {
    max(0, (sequence.length + tokens + blockTokens - 1) / blockTokens - sequence.blocks.count)
  }

  /// Gives a sequence room for more tokens.
  /// - Returns: False, with nothing changed, when blocks run out.
  package func reserve(_ sequence: CachedSequence, tokens: Int) -> Bool {
    let needed = blocksNeeded(sequence, tokens: tokens)
    guard needed <= free.count else { return false }
    for _ in 0..<needed { sequence.blocks.append(free.removeLast()) }
    return true
  }

  /// Takes a sequence's blocks back.
  package func release(_ sequence: CachedSequence) {
    free.append(contentsOf: sequence.blocks.reversed())
    sequence.blocks = []
    sequence.length = 0
  }

  /// Writes small random values everywhere, for measurements of contexts that nobody computed.
  package func fill(seed: UInt64) {
    for buffer in keys + values { rk_random(seed, 0.1, Int64(buffer.count), buffer.start) }
  }

  func layer(_ index: Int) -> rk_cache {
    rk_cache(
      keys: keys[index].start, values: values[index].start, query_heads: Int32(shape.attention.queryHeads),
      kv_heads: Int32(shape.attention.kvHeads), width: Int32(shape.attention.headWidth))
  }
}

/// What is cached of one sequence.
package final class CachedSequence {
  /// Tokens whose keys and values are there.
  package internal(set) var length = 0
  var blocks: [Int32] = []

  package init() {}
}
