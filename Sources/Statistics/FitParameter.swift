import EventKernel

/// One unknown of a fit, with the bounds it stays within.
package struct FitParameter: Sendable, Equatable {
  /// How the way between the bounds is measured.
  package enum Scale: Sendable {
    case linear
    /// For constants known to an order of magnitude; both bounds are positive.
    case logarithmic
  }

  package let name: String
  package let lower: Double
  package let upper: Double
  package let start: Double
  package let scale: Scale

  /// - Precondition: `lower < upper`, `start` between them, both positive on a logarithmic scale.
  package init(_ name: String, _ range: ClosedRange<Double>, start: Double, scale: Scale = .linear) {
    precondition(range.lowerBound < range.upperBound && range.contains(start), "\(name) starts within its bounds")
    precondition(scale == .linear || range.lowerBound > 0, "\(name) is positive on a logarithmic scale")
    self.name = name
    lower = range.lowerBound
    upper = range.upperBound
    self.start = start
    self.scale = scale
  }

  /// Another start, moved inside the bounds where it lies outside.
  package func starting(at value: Double) -> FitParameter {
    FitParameter(name, lower...upper, start: min(upper, max(lower, value)), scale: scale)
  }

  /// The value at a share of the way from the lower bound to the upper.
  func value(atShare share: Double) -> Double {
    switch scale {
    case .linear: lower + (upper - lower) * share
    case .logarithmic: min(upper, max(lower, lower * PortableMath.exp(PortableMath.log(upper / lower) * share)))
    }
  }

  func share(of value: Double) -> Double {
    switch scale {
    case .linear: (value - lower) / (upper - lower)
    case .logarithmic: PortableMath.log(value / lower) / PortableMath.log(upper / lower)
    }
  }

  // MARK: Without bounds

  /// The value at a place on the whole line: the share (1 + u)^2 / 2(1 + u^2) reaches both bounds, at u = -1 and 1, and
  /// turns back beyond them. It is the sine transform in t = tan(angle / 2), and rational, so the same everywhere.
  func value(at place: Double) -> Double { value(atShare: (1 + place) * (1 + place) / (2 * (1 + place * place))) }

  /// The place of a value between -1 and 1, kept off the ends, where a derivative of zero would hold it.
  func place(of value: Double) -> Double {
    let sine = 2 * min(0.995, max(0.005, share(of: value))) - 1
    return sine / (1 + (1 - sine * sine).squareRoot())
  }

  /// How much the value changes with the place, by central difference.
  func slope(at place: Double) -> Double { (value(at: place + 1e-6) - value(at: place - 1e-6)) / 2e-6 }
}
