import EventKernel
import Testing

@testable import Workloads

@Suite struct BlockTrieTests {
  /// Tokens that two prompts share, read off the forest as a cache would.
  private func shared(_ a: (stream: Int32, tokens: Int), _ b: (stream: Int32, tokens: Int), _ forest: PrefixForest)
    -> Int
  {
    func path(_ prompt: (stream: Int32, tokens: Int)) -> [Int32: Int] {
      var (reach, current) = ([Int32: Int](), prompt)
      while true {
        reach[current.stream] = current.tokens
        guard let parent = forest.parent(of: current.stream) else { return reach }
        current = (parent.stream, min(parent.fork, current.tokens))
      }
    }
    let (left, right) = (path(a), path(b))
    return left.compactMap { stream, tokens in right[stream].map { min($0, tokens) } }.max() ?? 0
  }

  @Test func `prompts share as many tokens as their ids have a common beginning`() {
    var stream = RandomStream(seed: 5, name: "trie")
    var trie = BlockTrie(blockTokens: 16)
    var prompts: [(blocks: [Int32], stream: Int32)] = []
    for _ in 0..<300 {
      let blocks = (0...stream.integer(below: 8)).map { _ in Int32(stream.integer(below: 3)) }
      guard let found = trie.stream(of: blocks) else {
        Issue.record("no stream")
        return
      }
      prompts.append((blocks, found))
    }
    for a in prompts.prefix(60) {
      for b in prompts {
        let common = zip(a.blocks, b.blocks).prefix { $0 == $1 }.count
        let found = shared((a.stream, a.blocks.count * 16), (b.stream, b.blocks.count * 16), trie.forest)
        #expect(found == common * 16, "\(a.blocks) and \(b.blocks)")
      }
    }
    trie.release()
    #expect(trie.forest.count == 0)
  }
}
