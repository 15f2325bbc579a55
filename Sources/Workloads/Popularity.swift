import EventKernel

/// How often each of a number of things is chosen: system prompts, questions, adapters.
package enum Popularity: Sendable, Hashable {
  /// All equally often.
  case uniform
  /// The k-th with a share proportional to k^-exponent.
  case zipf(ZipfTable)
  /// One after the other.
  case cycle
}

/// Draws from a popularity.
struct Chooser {
  private let popularity: Popularity
  private let count: Int
  private var chosen = 0

  init(_ popularity: Popularity, count: Int) {
    self.popularity = popularity
    self.count = count
  }

  /// A place from 0 to the count - 1.
  mutating func next(_ stream: inout RandomStream) -> Int {
    switch popularity {
    case .uniform: return stream.integer(below: count)
    case .zipf(let table): return table.number(uniform: stream.openUniform()) - 1
    case .cycle:
      defer { chosen = chosen + 1 == count ? 0 : chosen + 1 }
      return chosen
    }
  }
}
