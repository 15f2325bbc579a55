import EventKernel

/// How to sort positive numbers into bins that each end a fixed share above their beginning.
package struct LogBins: Sendable, Equatable {
  package let range: ClosedRange<Double>
  package let count: Int
  private let logLow: Double
  private let logStep: Double

  /// - Parameters:
  ///   - range: Positive. What lies beyond is counted in the first or the last bin.
  ///   - ratio: A bin's width as a share of its beginning, 0.02 for two per cent.
  package init(range: ClosedRange<Double>, ratio: Double = 0.02) {
    precondition(range.lowerBound > 0 && range.upperBound > range.lowerBound && ratio > 0, "bins need a positive range")
    self.range = range
    logLow = PortableMath.log(range.lowerBound)
    logStep = PortableMath.log(1 + ratio)
    count = Int(((PortableMath.log(range.upperBound) - logLow) / logStep).rounded(.up))
  }

  package func index(_ value: Double) -> Int {
    guard value > range.lowerBound else { return 0 }
    guard value < range.upperBound else { return count - 1 }
    return min(count - 1, Int((PortableMath.log(value) - logLow) / logStep))
  }

  /// The value at a place between bins: 2.5 is the geometric middle of the third.
  func value(at place: Double) -> Double { PortableMath.exp(logLow + place * logStep) }
}
