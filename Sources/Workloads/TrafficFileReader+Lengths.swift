import Documents
import Quantities

extension TrafficFileReader {
  private enum Distribution: String, CaseIterable {
    case fixed, uniform, lognormal, quantiles, zipf, pareto, geometric, mixture

    /// The keys of its numbers, of which `single` names a fixed one.
    func numbers(_ single: String) -> [String] {
      switch self {
      case .fixed: [single]
      case .uniform: ["min", "max"]
      case .lognormal: ["median", "sigma", "min", "max"]
      case .quantiles: ["points"]
      case .zipf: ["exponent", "min", "max"]
      case .pareto: ["shape", "min", "max"]
      case .geometric: ["mean", "max"]
      case .mixture: []
      }
    }
  }

  private static let counts = 1...Request.largestTokens

  /// A distribution of whole numbers.
  /// - Parameter single: What a fixed one is called: `tokens` or `count`.
  func lengths(_ node: Node, single: String = "tokens") throws -> LengthDistribution {
    try node.strictObject { block in try lengths(block, single: single) }
  }

  private func lengths(_ block: ObjectReader, single: String) throws -> LengthDistribution {
    let distribution = try block.choice("distribution", Distribution.self)
    try sources.cover(block, distribution.numbers(single))
    switch distribution {
    case .fixed: return .fixed(try block.int(single, in: Self.counts))
    case .uniform: return .uniform(try range(block))
    case .lognormal:
      return .lognormal(
        LengthDistribution.Lognormal(
          median: try block.double("median", in: 1...Double(Request.largestTokens)),
          sigma: try block.double("sigma", in: 0...10), range: try range(block)))
    case .quantiles: return .quantiles(try table(block.required("points")))
    case .zipf: return .zipf(try zipf(block))
    case .pareto:
      return .pareto(
        LengthDistribution.Pareto(shape: try block.double("shape", in: 0.01...1000), range: try range(block)))
    case .geometric:
      return .geometric(
        LengthDistribution.Geometric(
          mean: try block.double("mean", in: 1...Double(Request.largestTokens)),
          largest: try block.optionalInt("max", in: Self.counts) ?? Request.largestTokens))
    case .mixture: return .mixture(try mixture(block.required("parts"), single: single))
    }
  }

  private func range(_ block: ObjectReader) throws -> ClosedRange<Int> {
    let low = try block.int("min", in: Self.counts)
    return low...(try block.int("max", in: low...Request.largestTokens))
  }

  private func zipf(_ block: ObjectReader) throws -> ZipfTable {
    let low = try block.optionalInt("min", in: Self.counts) ?? 1
    let high = try block.int("max", in: low...min(Request.largestTokens, low + ZipfTable.largestCount - 1))
    return ZipfTable(range: low...high, exponent: try exponent(block))
  }

  func exponent(_ block: ObjectReader) throws -> Double { try block.double("exponent", in: 0...20) }

  private func mixture(_ node: Node, single: String) throws -> LengthDistribution.Mixture {
    let nodes = try node.array()
    guard (1...100).contains(nodes.count) else { throw node.error("has \(nodes.count) parts, expected 1 to 100") }
    let parts = try nodes.map { node in
      try node.strictObject { block in
        try sources.cover(block, ["weight"])
        return LengthDistribution.Mixture.Part(
          weight: try block.double("weight", in: 1e-9...1e9), lengths: try lengths(block, single: single))
      }
    }
    return LengthDistribution.Mixture(parts: parts)
  }

  private func table(_ node: Node) throws -> QuantileTable {
    let items = try node.array()
    let points = try items.map(point)
    if let fault = QuantileTable.fault(in: points) {
      throw (items.indices.contains(fault.index) ? items[fault.index] : node).error(fault.problem)
    }
    return QuantileTable(points: points)
  }

  private func point(_ node: Node) throws -> QuantileTable.Point {
    let pair = try node.array()
    guard pair.count == 2 else { throw node.error("has \(pair.count) numbers, expected [share, tokens]") }
    return QuantileTable.Point(
      share: try pair[0].double(in: 0...1), tokens: try pair[1].int(in: 0...Request.largestTokens))
  }

  // MARK: Durations

  private enum Duration: String, CaseIterable {
    case fixed, uniform, exponential, lognormal, pareto

    /// The keys of its numbers.
    var numbers: [String] {
      switch self {
      case .fixed: ["time"]
      case .uniform: ["min", "max"]
      case .exponential: ["mean"]
      case .lognormal: ["median", "sigma"]
      case .pareto: ["min", "shape"]
      }
    }
  }

  func durations(_ node: Node) throws -> DurationDistribution {
    try node.strictObject { block in
      let distribution = try block.choice("distribution", Duration.self)
      try sources.cover(block, distribution.numbers)
      switch distribution {
      case .fixed: return .fixed(seconds: try time(block.required("time")))
      case .uniform: return .uniform(try timeRange(block))
      case .exponential: return .exponential(mean: try time(block.required("mean")))
      case .lognormal:
        return .lognormal(median: try time(block.required("median")), sigma: try block.double("sigma", in: 0...10))
      case .pareto:
        return .pareto(smallest: try time(block.required("min")), shape: try block.double("shape", in: 0.01...1000))
      }
    }
  }

  private func timeRange(_ block: ObjectReader) throws -> ClosedRange<Double> {
    let low = try time(block.required("min"))
    let high = try time(block.required("max"))
    guard high >= low else { throw try block.required("max").error("is shorter than 'min'") }
    return low...high
  }
}
