/// The KV blocks of one replica: free, held by requests, or kept by the prefix cache.
struct BlockPool {
  let total: Int
  private(set) var free: Int
  var cache: PrefixCache

  init(total: Int, cache: PrefixCache) {
    self.total = total
    free = total
    self.cache = cache
  }

  /// Blocks that can be had: free ones, and kept ones that nobody uses.
  var available: Int { free + cache.evictable }

  /// Blocks that requests use, each once however many share it.
  var used: Int { total - available }

  /// - Precondition: `count` is at most ``available``.
  mutating func take(_ count: Int) {
    assert(count <= available, "take \(count) of \(available)")
    if count > free {
      let missing = count - free
      cache.evict(missing)
      free += missing
    }
    free -= count
  }

  mutating func give(_ count: Int) { free += count }
}
