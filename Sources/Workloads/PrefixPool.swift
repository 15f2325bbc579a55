/// Where a request's prefix blocks stand in a ``PrefixPool``.
package struct PrefixRange: Sendable, Hashable {
  package var start: UInt32
  package var count: UInt32

  package static let none = PrefixRange(start: 0, count: 0)

  package init(start: UInt32, count: UInt32) {
    self.start = start
    self.count = count
  }

  package var isEmpty: Bool { count == 0 }
}

/// The prefix blocks of a source's requests, one after another: equal numbers mean equal prompt prefixes.
///
/// A class, so that the source adds to it while the engine reads. It holds every block read so far, 4 bytes each: the
/// Mooncake conversation trace of 12,031 requests takes 1.2 MB.
package final class PrefixPool {
  /// Tokens a block stands for; a prompt's last block may hold fewer.
  package let blockTokens: Int
  private var blocks: ContiguousArray<Int32> = []

  package init(blockTokens: Int) { self.blockTokens = blockTokens }

  /// The blocks of one request, in order of the prompt.
  package subscript(range: PrefixRange) -> ContiguousArray<Int32>.SubSequence {
    let start = Int(range.start)
    return blocks[start..<start + Int(range.count)]
  }

  /// Adds the blocks of one request.
  /// - Returns: Their place, or nothing when the pool is full at 4 G blocks.
  func add(_ new: some Collection<Int32>) -> PrefixRange? {
    guard let start = UInt32(exactly: blocks.count), let count = UInt32(exactly: new.count) else { return nil }
    blocks.append(contentsOf: new)
    return PrefixRange(start: start, count: count)
  }
}
