import EventKernel

/// How many tokens prompts or answers have.
package enum LengthDistribution: Sendable, Hashable {
  case fixed(Int)
  /// Every count of the range equally likely.
  case uniform(ClosedRange<Int>)
  case lognormal(Lognormal)
  case quantiles(QuantileTable)

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

  /// Draws a count.
  func draw(_ stream: inout RandomStream) -> Int {
    switch self {
    case .fixed(let tokens): tokens
    case .uniform(let range): Self.tokens(range, uniform: stream.openUniform())
    case .lognormal(let lognormal): lognormal.tokens(normal: stream.normal())
    case .quantiles(let table): table.tokens(uniform: stream.openUniform())
    }
  }

  /// The count at a place of the standard normal, for draws that depend on each other.
  func tokens(normal z: Double) -> Int {
    switch self {
    case .fixed(let tokens): tokens
    case .uniform(let range): Self.tokens(range, uniform: Self.share(z))
    case .lognormal(let lognormal): lognormal.tokens(normal: z)
    case .quantiles(let table): table.tokens(uniform: Self.share(z))
    }
  }

  private static func tokens(_ range: ClosedRange<Int>, uniform u: Double) -> Int {
    range.lowerBound + Int(u * Double(range.count))
  }

  private static func share(_ z: Double) -> Double { min(PortableMath.normalCDF(z), 1.0.nextDown) }
}
