import Documents
import Foundation

/// How positions turn queries and keys.
package struct RotaryEmbedding: Sendable, Equatable {
  package var base: Double
  package var scaling = Scaling.none

  package enum Scaling: Sendable, Equatable {
    case none
    /// Positions divided by a factor.
    case linear(Double)
    /// Llama 3.1: slow waves are divided, fast ones kept, those between blended.
    case llama3(factor: Double, low: Double, high: Double, original: Double)
  }

  /// The frequency of each pair of a head's elements, in radians a token.
  func frequencies(headWidth: Int) -> [Double] {
    (0..<headWidth / 2).map { scaled(pow(base, -2 * Double($0) / Double(headWidth))) }
  }

  private func scaled(_ frequency: Double) -> Double {
    switch scaling {
    case .none: return frequency
    case .linear(let factor): return frequency / factor
    case .llama3(let factor, let low, let high, let original):
      let turns = original * frequency / (2 * Double.pi)
      if turns < low { return frequency / factor }
      if turns > high { return frequency }
      let share = (turns - low) / (high - low)
      return (1 - share) * frequency / factor + share * frequency
    }
  }

  /// Cosines and sines of every position and pair.
  func tables(positions: Int, headWidth: Int) -> (cosines: FloatBuffer, sines: FloatBuffer) {
    let frequencies = frequencies(headWidth: headWidth)
    let half = frequencies.count
    let (cosines, sines) = (FloatBuffer(count: positions * half), FloatBuffer(count: positions * half))
    for position in 0..<positions {
      for (index, frequency) in frequencies.enumerated() {
        cosines.start[position * half + index] = Float(cos(Double(position) * frequency))
        sines.start[position * half + index] = Float(sin(Double(position) * frequency))
      }
    }
    return (cosines, sines)
  }

  /// Reads `rope_theta` and `rope_scaling` of a configuration, or the newer `rope_parameters`.
  /// - Throws: `DataError` for a scaling that is not understood.
  static func read(_ fields: ObjectReader) throws -> RotaryEmbedding {
    let newer = try fields.optional("rope_parameters")?.object()
    let base =
      try newer?.optionalDouble("rope_theta", in: 1...1e9) ?? fields.optionalDouble("rope_theta", in: 1...1e9) ?? 10_000
    let table = try newer ?? fields.optional("rope_scaling")?.object()
    return RotaryEmbedding(base: base, scaling: try table.map(scaling) ?? .none)
  }

  private static func scaling(_ table: ObjectReader) throws -> Scaling {
    guard let node = table.optional("rope_type") ?? table.optional("type") else { return .none }
    let type = try node.string()
    switch type {
    case "default": return .none
    case "linear": return .linear(try table.double("factor", in: 1...1000))
    case "llama3":
      let (low, high) = (try table.double("low_freq_factor"), try table.double("high_freq_factor"))
      guard low < high else { throw table.node.error("low_freq_factor \(low) is not below high_freq_factor \(high)") }
      return .llama3(
        factor: try table.double("factor", in: 1...1000), low: low, high: high,
        original: try table.double("original_max_position_embeddings", in: 1...1e9))
    default: throw node.error("found \(shown(type)), expected default, linear or llama3")
    }
  }
}
