/// How to sort positive numbers into bins that each end at most a fixed share above their beginning.
///
/// Bins are equal steps of a broken line through the powers of two instead of the logarithm itself: a number's bits say
/// where it lies, in a nanosecond and alike on every machine. Towards the end of each octave bins are half as wide.
package struct LogBins: Sendable, Equatable {
  package let range: ClosedRange<Double>
  package let count: Int
  private let low: Double
  private let stepsPerOctave: Double

  /// - Parameters:
  ///   - range: Positive normal numbers. What lies beyond is counted in the first or the last bin.
  ///   - ratio: A bin's width as a share of its beginning at most, 0.02 for two per cent.
  package init(range: ClosedRange<Double>, ratio: Double = 0.02) {
    precondition(
      range.lowerBound.isNormal && range.lowerBound > 0 && range.upperBound > range.lowerBound && ratio > 0,
      "bins need a positive range")
    self.range = range
    low = Self.octaves(range.lowerBound)
    stepsPerOctave = 1 / ratio
    count = max(1, Int(((Self.octaves(range.upperBound) - low) * stepsPerOctave).rounded(.up)))
  }

  @inline(__always)
  package func index(_ value: Double) -> Int {
    guard value > range.lowerBound else { return 0 }
    guard value < range.upperBound else { return count - 1 }
    return min(count - 1, Int((Self.octaves(value) - low) * stepsPerOctave))
  }

  /// The value at a place between bins: 2.5 is the middle of the third.
  func value(at place: Double) -> Double {
    let octaves = low + place / stepsPerOctave
    let whole = octaves.rounded(.down)
    return (1 + octaves - whole) * Double(sign: .plus, exponent: Int(whole), significand: 1)
  }

  /// Powers of two below a normal number, with the way to the next one as the fraction.
  @inline(__always)
  private static func octaves(_ value: Double) -> Double {
    Double(Int64(bitPattern: value.bitPattern)) * 0x1p-52 - 1023
  }
}
