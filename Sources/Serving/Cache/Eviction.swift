import CostModels

package typealias Eviction = EvictionOrder

extension EvictionOrder {
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
