import EventKernel

/// An axis with a place for every value: from a domain to a stretch of the drawing.
package struct Scale: Sendable {
  package let kind: Axis.Kind
  package let domain: ClosedRange<Double>
  /// Where the domain begins and ends on the drawing; the end may lie before the start.
  package let start: Double
  package let end: Double

  package init(kind: Axis.Kind, domain: ClosedRange<Double>, start: Double, end: Double) {
    self.kind = kind
    self.domain = domain
    self.start = start
    self.end = end
  }

  /// The place of a value that the axis accepts.
  package func position(_ value: Double) -> Double {
    let share =
      switch kind {
      case .linear: (value - domain.lowerBound) / (domain.upperBound - domain.lowerBound)
      case .logarithmic:
        PortableMath.log(value / domain.lowerBound) / PortableMath.log(domain.upperBound / domain.lowerBound)
      }
    return start + share * (end - start)
  }
}
