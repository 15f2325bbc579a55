/// The streams of tokens that prompts begin with, each a root or a fork of another one.
///
/// A stream is a text that only grows: a system prompt, a conversation with its answers. Two requests on one stream
/// share its tokens up to the shorter one's length; a stream that forks from another at a token shares that one's
/// tokens up to there. Prefix caches hold tokens by stream, so one comparison stands for hundreds of block hashes.
///
/// Streams are counted: a source holds those it may still use, a cache those it has tokens of, a fork its parent. The
/// number of a stream that nobody holds is given out again, so memory follows the live sessions, not the requests.
package final class PrefixForest {
  private struct Stream {
    var parent: Int32
    var fork: Int32
    var holders: Int32
  }

  // One run owns a forest and asks one thing at a time, so exclusivity need not be checked on every access.
  @exclusivity(unchecked) private var streams: ContiguousArray<Stream> = []
  @exclusivity(unchecked) private var free: [Int32] = []

  package init() {}

  /// Streams that somebody holds.
  package var count: Int { streams.count - free.count }

  /// Adds a stream, held once by the caller.
  /// - Parameters:
  ///   - parent: The stream whose first `fork` tokens it begins with; nothing for a text of its own.
  package func add(parent: Int32? = nil, fork: Int = 0) -> Int32 {
    if let parent { hold(parent) }
    let stream = Stream(parent: parent ?? -1, fork: Int32(fork), holders: 1)
    if let reused = free.popLast() {
      streams[Int(reused)] = stream
      return reused
    }
    streams.append(stream)
    return Int32(streams.count - 1)
  }

  /// The stream it forks from, and after how many tokens; nothing for a root.
  package func parent(of stream: Int32) -> (stream: Int32, fork: Int)? {
    let entry = streams[Int(stream)]
    return entry.parent < 0 ? nil : (entry.parent, Int(entry.fork))
  }

  package func hold(_ stream: Int32) { streams[Int(stream)].holders += 1 }

  /// Gives up one hold; the last one frees the stream.
  package func release(_ stream: Int32) {
    var current = stream
    while current >= 0 {
      streams[Int(current)].holders -= 1
      guard streams[Int(current)].holders == 0 else { return }
      free.append(current)
      current = streams[Int(current)].parent
    }
  }
}
