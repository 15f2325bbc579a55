import Documents

/// Input and output tokens of recorded requests, to draw from together.
package struct LengthPairs: Sendable, Hashable {
  package struct Pair: Sendable, Hashable {
    package var input: Int32
    package var output: Int32
  }

  package let pairs: ContiguousArray<Pair>

  /// The most requests of a trace that are kept: 80 MB.
  static let largest = 10_000_000

  /// - Precondition: At least one pair.
  package init(pairs: ContiguousArray<Pair>) {
    precondition(!pairs.isEmpty, "recorded lengths are checked before")
    self.pairs = pairs
  }

  /// Reads a trace of any format.
  package static func read(path: String) throws -> LengthPairs {
    var source = try TraceReader.open(path: path)
    var pairs: ContiguousArray<Pair> = []
    while let request = try source.next() {
      guard pairs.count < largest else {
        throw DataError(file: path, problem: "has more than \(largest) requests, too many to draw from")
      }
      pairs.append(Pair(input: Int32(request.inputTokens), output: Int32(request.outputTokens)))
    }
    return LengthPairs(pairs: pairs)
  }
}
