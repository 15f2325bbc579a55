import HeapModule
import Workloads

/// The KV blocks that are kept by what they hold, so that prompts which begin alike share them.
///
/// A radix tree whose edges are the streams of a ``PrefixForest``: a node holds the full blocks of one stream that are
/// in cache, beginning where the stream leaves its parent. Requests hold the node their prompt reaches; what nobody
/// holds stays until its blocks are needed, and goes leaf by leaf, last blocks first.
///
/// - Complexity: a match, an insertion or a release is O(depth of the stream), whatever the length of the prompt.
struct PrefixCache {
  private struct Node {
    /// -1 for blocks that only the samples of one request share.
    var stream: Int32
    var parent: Int32
    /// Where its own blocks begin in the sequence, and how many it has.
    var start: Int
    var blocks: Int
    var children = 0
    /// Requests that hold it, and children that are in use.
    var users = 0
    var lastUse: Int64 = 0
    var created: Int64 = 0
    var uses: Int64 = 0
    /// Tells a place in the heap whether it still counts.
    var version: Int64 = 0

    var end: Int { start + blocks }
  }

  private struct Candidate: Comparable {
    var rank: (Int64, Int64)
    var order: Int64
    var node: Int32
    var version: Int64

    static func < (a: Candidate, b: Candidate) -> Bool {
      if a.rank.0 != b.rank.0 { return a.rank.0 < b.rank.0 }
      if a.rank.1 != b.rank.1 { return a.rank.1 < b.rank.1 }
      return a.order < b.order
    }
    static func == (a: Candidate, b: Candidate) -> Bool { a.rank == b.rank && a.order == b.order }
  }

  private let blockSize: Int
  private let eviction: Eviction
  private let forest: PrefixForest?
  private var nodes: ContiguousArray<Node> = []
  private var free: [Int32] = []
  /// By stream, its node or -1: a forest gives numbers out again, so they stay small.
  private var byStream: ContiguousArray<Int32> = []
  private var candidates = Heap<Candidate>()
  private var clock: Int64 = 0
  /// Blocks of all nodes, and those that could be evicted.
  private(set) var blocks = 0
  private(set) var evictable = 0
  private(set) var evicted = 0

  /// - Parameter forest: Nothing keeps no prefixes: only the samples of one request share blocks.
  init(blockSize: Int, eviction: Eviction, forest: PrefixForest?) {
    self.blockSize = blockSize
    self.eviction = eviction
    self.forest = forest
  }

  var keepsPrefixes: Bool { forest != nil }

  // MARK: Looking up

  /// What of a prompt is in cache: full blocks from its start, and the node they reach.
  func match(_ prompt: PromptIdentity, atMost tokens: Int) -> (blocks: Int, node: Int32) {
    guard prompt.stream >= 0, forest != nil else { return (0, -1) }
    let limit = min(Int(prompt.tokens), tokens) / blockSize
    return reach(prompt.stream, limit)
  }

  private func node(of stream: Int32) -> Int32? {
    guard Int(stream) < byStream.count, byStream[Int(stream)] >= 0 else { return nil }
    return byStream[Int(stream)]
  }

  private mutating func setNode(_ node: Int32, of stream: Int32) {
    if Int(stream) >= byStream.count {
      byStream.append(contentsOf: repeatElement(-1, count: Int(stream) + 1 - byStream.count))
    }
    byStream[Int(stream)] = node
  }

  /// Full blocks of a stream up to a limit that are in cache.
  private func reach(_ stream: Int32, _ limit: Int) -> (blocks: Int, node: Int32) {
    var before = (blocks: 0, node: Int32(-1))
    if let parent = forest?.parent(of: stream) {
      let fork = parent.fork / blockSize
      before = reach(parent.stream, min(limit, fork))
      guard before.blocks == fork else { return before }
    }
    guard let node = node(of: stream), nodes[Int(node)].blocks > 0, limit > nodes[Int(node)].start else {
      return before
    }
    return (min(limit, nodes[Int(node)].end), node)
  }

  /// Blocks on the way to a node that nobody uses, and that could be evicted unless it is held.
  func unusedBlocks(on node: Int32) -> Int {
    var sum = 0
    var current = node
    while current >= 0, nodes[Int(current)].users == 0 {
      sum += nodes[Int(current)].blocks
      current = nodes[Int(current)].parent
    }
    return sum
  }

  /// Blocks on the way to a node that become free or evictable when its only holder lets go.
  func blocksHeldAlone(_ node: Int32) -> Int {
    var sum = 0
    var current = node
    while current >= 0, nodes[Int(current)].users == 1 {
      sum += nodes[Int(current)].blocks
      current = nodes[Int(current)].parent
    }
    return sum
  }

  // MARK: Holding

  /// A request begins to use a node.
  mutating func hold(_ node: Int32) {
    touch(node)
    nodes[Int(node)].uses += 1
    use(node)
  }

  /// A request no longer uses a node.
  /// - Returns: Blocks that became free, of a node that only samples shared.
  mutating func release(_ node: Int32) -> Int {
    touch(node)
    unuse(node)
    guard nodes[Int(node)].stream < 0, nodes[Int(node)].users == 0, nodes[Int(node)].children == 0 else { return 0 }
    let freed = nodes[Int(node)].blocks
    evictable -= freed
    blocks -= freed
    nodes[Int(node)].blocks = 0
    remove(node)
    return freed
  }

  private mutating func touch(_ node: Int32) {
    clock += 1
    var current = node
    while current >= 0 {
      nodes[Int(current)].lastUse = clock
      current = nodes[Int(current)].parent
    }
  }

  private mutating func use(_ node: Int32) {
    var current = node
    while current >= 0 {
      nodes[Int(current)].users += 1
      guard nodes[Int(current)].users == 1 else { return }
      evictable -= nodes[Int(current)].blocks
      nodes[Int(current)].version += 1
      current = nodes[Int(current)].parent
    }
  }

  private mutating func unuse(_ node: Int32) {
    var current = node
    while current >= 0 {
      nodes[Int(current)].users -= 1
      guard nodes[Int(current)].users == 0 else { return }
      evictable += nodes[Int(current)].blocks
      offer(current)
      current = nodes[Int(current)].parent
    }
  }

  // MARK: Adding

  /// Takes over a request's blocks as those of its stream, up to `limit` full blocks, and holds them for it.
  /// - Parameters:
  ///   - have: Blocks from the start that the request holds already, as shared ones, through `held`.
  /// - Returns: The node now held instead of `held`, and the blocks of the request that became shared; of these,
  ///   `duplicates` were in cache already and are free.
  mutating func insert(
    stream: Int32, limit: Int, have: Int, held: Int32
  ) -> (node: Int32, shared: Int, duplicates: Int) {
    guard limit > have else { return (held, have, 0) }
    var duplicates = 0
    guard let node = extend(stream, limit, have, &duplicates) else { return (held, have, 0) }
    guard node != held else { return (held, limit, duplicates) }
    hold(node)
    if held >= 0 { _ = release(held) }
    return (node, limit, duplicates)
  }

  /// Makes a stream's blocks reach a limit, its parents' first.
  private mutating func extend(_ stream: Int32, _ limit: Int, _ have: Int, _ duplicates: inout Int) -> Int32? {
    guard let forest else { return nil }
    var parent: Int32 = -1
    var start = 0
    if let above = forest.parent(of: stream) {
      start = above.fork / blockSize
      if start > 0 {
        guard let node = extend(above.stream, min(limit, start), have, &duplicates) else { return nil }
        if limit <= start { return node }
        parent = node
      }
    }
    let node = node(of: stream) ?? add(stream: stream, parent: parent, start: start)
    grow(node, to: limit, have, &duplicates)
    return node
  }

  private mutating func grow(_ node: Int32, to limit: Int, _ have: Int, _ duplicates: inout Int) {
    let entry = nodes[Int(node)]
    let from = max(have, entry.start)
    duplicates += max(0, min(limit, entry.end) - from)
    let new = limit - entry.end
    guard new > 0 else { return }
    nodes[Int(node)].blocks += new
    blocks += new
    guard entry.users == 0 else { return }
    evictable += new
    offer(node)
  }

  /// Full blocks that the samples of one request share, after those it shares with others.
  mutating func addFamily(blocks count: Int, start: Int, parent: Int32) -> Int32 {
    let node = add(stream: -1, parent: parent, start: start)
    nodes[Int(node)].blocks = count
    blocks += count
    evictable += count
    return node
  }

  private mutating func add(stream: Int32, parent: Int32, start: Int) -> Int32 {
    clock += 1
    let node = Node(stream: stream, parent: parent, start: start, blocks: 0, lastUse: clock, created: clock)
    let index: Int32
    if let reused = free.popLast() {
      let version = nodes[Int(reused)].version + 1
      nodes[Int(reused)] = node
      nodes[Int(reused)].version = version
      index = reused
    } else {
      nodes.append(node)
      index = Int32(nodes.count - 1)
    }
    if parent >= 0 { nodes[Int(parent)].children += 1 }
    if stream >= 0 {
      setNode(index, of: stream)
      forest?.hold(stream)
    }
    return index
  }

  // MARK: Evicting

  /// Frees blocks that nobody uses.
  /// - Precondition: `count` is at most ``evictable``.
  mutating func evict(_ count: Int) {
    var left = count
    while left > 0, let candidate = candidates.min {
      let node = candidate.node
      guard nodes[Int(node)].version == candidate.version, isLeaf(node) else {
        candidates.removeMin()
        continue
      }
      let taken = min(left, nodes[Int(node)].blocks)
      nodes[Int(node)].blocks -= taken
      left -= taken
      blocks -= taken
      evictable -= taken
      evicted += taken
      // What is left keeps its rank, so that blocks taken together are those taken one by one.
      if nodes[Int(node)].blocks == 0 {
        candidates.removeMin()
        remove(node)
      }
    }
  }

  private func isLeaf(_ node: Int32) -> Bool { nodes[Int(node)].users == 0 && nodes[Int(node)].children == 0 }

  /// Puts a node among those that may be evicted, if it may.
  private mutating func offer(_ node: Int32) {
    guard isLeaf(node), nodes[Int(node)].stream >= 0 else { return }
    nodes[Int(node)].version += 1
    clock += 1
    let entry = nodes[Int(node)]
    let rank = eviction.rank(
      lastUse: entry.lastUse, created: entry.created, uses: entry.uses, blocks: Int64(entry.blocks))
    candidates.insert(Candidate(rank: rank, order: clock, node: node, version: entry.version))
    if candidates.count > 64 + 4 * nodes.count { compact() }
  }

  /// Drops places that no longer count.
  private mutating func compact() {
    candidates = Heap(candidates.unordered.filter { nodes[Int($0.node)].version == $0.version })
  }

  private mutating func remove(_ node: Int32) {
    let entry = nodes[Int(node)]
    nodes[Int(node)].version += 1
    free.append(node)
    if entry.stream >= 0 {
      setNode(-1, of: entry.stream)
      forest?.release(entry.stream)
    }
    guard entry.parent >= 0 else { return }
    nodes[Int(entry.parent)].children -= 1
    offer(entry.parent)
  }

  /// Forgets everything that nobody uses; at the end of a run, or when a replica fails.
  mutating func clear() -> Int {
    let count = evictable
    evict(count)
    return count
  }
}
