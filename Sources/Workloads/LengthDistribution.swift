import EventKernel

/// How many tokens prompts or answers have, or how many turns a session: whole numbers of at least 1.
package enum LengthDistribution: Sendable, Hashable {
  case fixed(Int)
  /// Every count of the range equally likely.
  case uniform(ClosedRange<Int>)
  case lognormal(Lognormal)
  case quantiles(QuantileTable)
  case zipf(ZipfTable)
  case pareto(Pareto)
  case geometric(Geometric)
  case mixture(Mixture)

  /// The logarithm is normal; draws beyond the range take its nearer end.
  package struct Lognormal: Sendable, Hashable {
    package var median: Double
    /// Standard deviation of the natural logarithm.
    package var sigma: Double
    package var range: ClosedRange<Int>

    func tokens(normal z: Double) -> Int {
      let tokens = (median * PortableMath.exp(sigma * z)).rounded()
      return Int(min(Double(range.upperBound), max(Double(range.lowerBound), tokens)))
    }
  }

  /// A power law within a range: the share above t is proportional to t^-shape - max^-shape. Draws are rounded to
  /// the nearest count.
  package struct Pareto: Sendable, Hashable {
    package var shape: Double
    package var range: ClosedRange<Int>

    func tokens(uniform u: Double) -> Int {
      let (low, high) = (Double(range.lowerBound), Double(range.upperBound))
      let top = PortableMath.power(low / high, shape)
      let tokens = (low * PortableMath.power(1 - u * (1 - top), -1 / shape)).rounded()
      return Int(min(high, max(low, tokens)))
    }
  }

  /// After each one there is another with the same chance; draws above `largest` take it.
  package struct Geometric: Sendable, Hashable {
    package var mean: Double
    package var largest: Int

    func tokens(uniform u: Double) -> Int {
      guard mean > 1 else { return 1 }
      let tokens = 1 + (PortableMath.log(1 - u) / PortableMath.log(1 - 1 / mean)).rounded(.down)
      return Int(min(Double(largest), tokens))
    }
  }

  /// One of several distributions, by weight.
  package struct Mixture: Sendable, Hashable {
    package struct Part: Sendable, Hashable {
      package var weight: Double
      package var lengths: LengthDistribution
    }
    package let parts: [Part]
    private let total: Double

    /// - Precondition: At least one part; weights are positive.
    package init(parts: [Part]) {
      precondition(!parts.isEmpty && parts.allSatisfy { $0.weight > 0 }, "a mixture is checked before it is made")
      self.parts = parts
      total = parts.reduce(0) { $0 + $1.weight }
    }

    func draw(_ stream: inout RandomStream) -> Int {
      var left = stream.openUniform() * total
      for part in parts.dropLast() {
        if left < part.weight { return part.lengths.draw(&stream) }
        left -= part.weight
      }
      return parts[parts.count - 1].lengths.draw(&stream)
    }
  }

  /// Draws a count.
  func draw(_ stream: inout RandomStream) -> Int {
    switch self {
    case .fixed(let tokens): tokens
    case .uniform(let range): Self.tokens(range, uniform: stream.openUniform())
    case .lognormal(let lognormal): lognormal.tokens(normal: stream.normal())
    case .quantiles(let table): table.tokens(uniform: stream.openUniform())
    case .zipf(let table): table.number(uniform: stream.openUniform())
    case .pareto(let pareto): pareto.tokens(uniform: stream.openUniform())
    case .geometric(let geometric): geometric.tokens(uniform: stream.openUniform())
    case .mixture(let mixture): mixture.draw(&stream)
    }
  }

  /// Whether draws can depend on each other: a mixture has no count for a place of the standard normal.
  var hasPlaces: Bool { if case .mixture = self { false } else { true } }

  /// The count at a place of the standard normal, for draws that depend on each other.
  /// - Precondition: ``hasPlaces``.
  func tokens(normal z: Double) -> Int {
    switch self {
    case .fixed(let tokens): tokens
    case .uniform(let range): Self.tokens(range, uniform: Self.share(z))
    case .lognormal(let lognormal): lognormal.tokens(normal: z)
    case .quantiles(let table): table.tokens(uniform: Self.share(z))
    case .zipf(let table): table.number(uniform: Self.share(z))
    case .pareto(let pareto): pareto.tokens(uniform: Self.share(z))
    case .geometric(let geometric): geometric.tokens(uniform: Self.share(z))
    case .mixture: preconditionFailure("a mixture's draws cannot depend on others")
    }
  }

  private static func tokens(_ range: ClosedRange<Int>, uniform u: Double) -> Int {
    range.lowerBound + Int(u * Double(range.count))
  }

  private static func share(_ z: Double) -> Double { min(PortableMath.normalCDF(z), 1.0.nextDown) }
}
