/// Turns prompts named by block ids into streams of a ``PrefixForest``.
///
/// A block counts as known where all blocks before it are the same too, so ids may be hashes of a block alone or of
/// the whole prompt up to it. A prompt that goes on at the end of a stream makes it longer; one that leaves a stream
/// before its end forks a new one.
///
/// Holds every stream and 20 bytes or so for every distinct block, for as long as the trace is read.
struct BlockTrie {
  /// A block and what came before it.
  private struct Step: Hashable {
    var node: Int32
    var block: Int32
  }

  let forest = PrefixForest()
  private let blockTokens: Int
  private var nodes: [Step: Int32] = [:]
  /// The stream of every node.
  private var streams: ContiguousArray<Int32> = []
  /// Blocks of every stream, counted from the beginning of the prompt.
  private var lengths: [Int32: Int] = [:]

  init(blockTokens: Int) { self.blockTokens = blockTokens }

  /// The stream that holds a prompt's blocks, which becomes longer or forks where they are new.
  /// - Returns: Nothing for no blocks, and when there are more than 2 G distinct ones or the prompt has more tokens.
  /// - Complexity: O(blocks).
  mutating func stream(of blocks: some Collection<Int32>) -> Int32? {
    guard !blocks.isEmpty, blocks.count <= Int(Int32.max) / blockTokens else { return nil }
    var node: Int32 = -1
    for (depth, block) in blocks.enumerated() {
      let step = Step(node: node, block: block)
      if let known = nodes[step] {
        node = known
      } else {
        guard let new = add(step, depth: depth) else { return nil }
        node = new
      }
    }
    return streams[Int(node)]
  }

  private mutating func add(_ step: Step, depth: Int) -> Int32? {
    guard let node = Int32(exactly: streams.count) else { return nil }
    let stream = stream(after: step.node, depth: depth)
    lengths[stream] = depth + 1
    streams.append(stream)
    nodes[step] = node
    return node
  }

  /// The stream that a new block after a node goes on: the node's own at its end, else a fork.
  private func stream(after node: Int32, depth: Int) -> Int32 {
    guard node >= 0 else { return forest.add() }
    let stream = streams[Int(node)]
    return lengths[stream] == depth ? stream : forest.add(parent: stream, fork: depth * blockTokens)
  }

  /// Gives up all streams, when no request of the trace is left.
  mutating func release() {
    for stream in lengths.keys.sorted() { forest.release(stream) }
    (nodes, streams, lengths) = ([:], [], [:])
  }
}
