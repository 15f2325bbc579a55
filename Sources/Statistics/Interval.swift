/// An estimate with what it may be wrong by.
package struct Interval: Sendable, Equatable {
  package var estimate: Double
  /// Half of the interval's width, in the estimate's unit.
  package var halfWidth: Double
  /// How often such intervals hold the truth, for example 0.95.
  package var confidence: Double

  package init(estimate: Double, halfWidth: Double, confidence: Double) {
    self.estimate = estimate
    self.halfWidth = halfWidth
    self.confidence = confidence
  }

  package var range: ClosedRange<Double> { estimate - halfWidth...estimate + halfWidth }
  /// Whether it tells the estimate from a value.
  package func excludes(_ value: Double) -> Bool { !range.contains(value) }

  /// Student's interval for the centre of some independent values.
  /// - Parameter centre: The point estimate, where it is not the values' mean.
  /// - Returns: Nothing for fewer than two values.
  package static func student(_ values: [Double], centre: Double? = nil, confidence: Double) -> Interval? {
    guard values.count >= 2 else { return nil }
    let count = Double(values.count)
    let centre = centre ?? values.mean
    let squares = values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
    let error = (squares / (count - 1) / count).squareRoot()
    let width = StudentT.halfWidth(confidence: confidence, degreesOfFreedom: values.count - 1)
    return Interval(estimate: centre, halfWidth: width * error, confidence: confidence)
  }
}

extension Collection<Double> {
  var mean: Double { reduce(0, +) / Double(count) }
}
