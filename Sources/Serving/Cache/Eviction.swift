/// Which unused prefix goes first when blocks are needed.
package enum Eviction: String, CaseIterable, Sendable {
  /// The one used longest ago.
  case lru
  /// The one computed first.
  case fifo
  /// The one used least often; among equals, longest ago.
  case lfu
  /// The one with the most blocks; among equals, longest ago.
  case largest

  /// The rank of a prefix; the lowest is evicted first.
  func rank(lastUse: Int64, created: Int64, uses: Int64, blocks: Int64) -> (Int64, Int64) {
    switch self {
    case .lru: (lastUse, 0)
    case .fifo: (created, 0)
    case .lfu: (uses, lastUse)
    case .largest: (-blocks, lastUse)
    }
  }
}
