/// What an axis shows, before any data or size is known.
package struct Axis: Sendable {
  package enum Kind: Sendable { case linear, logarithmic }

  package var title: String
  package var unit: AxisUnit
  package var kind: Kind
  /// Values that the axis reaches even where no data do; `0...0` to begin at zero.
  package var covering: ClosedRange<Double>?

  package init(
    _ title: String, unit: AxisUnit = .none, kind: Kind = .linear, covering: ClosedRange<Double>? = nil
  ) {
    self.title = title
    self.unit = unit
    self.kind = kind
    self.covering = covering
  }

  /// Whether a value has a place on the axis: finite, of a size that can be scaled, positive where logarithmic.
  package func accepts(_ value: Double) -> Bool {
    guard value.isFinite, abs(value) <= Self.largest else { return false }
    return kind == .linear || value >= 1 / Self.largest
  }

  private static let largest = 1e90

  /// The range that the axis shows: from round number to round number around the data.
  package func domain(of values: some Sequence<Double>, steps: Int) -> ClosedRange<Double> {
    let ends = covering.map { [$0.lowerBound, $0.upperBound] } ?? []
    var low = Double.infinity
    var high = -Double.infinity
    for value in values where accepts(value) {
      low = min(low, value)
      high = max(high, value)
    }
    for value in ends where accepts(value) {
      low = min(low, value)
      high = max(high, value)
    }
    guard low <= high else { return kind == .linear ? 0...1 : 1...10 }
    return kind == .linear ? Self.linear(low, high, steps) : Self.logarithmic(low, high)
  }

  private static func linear(_ low: Double, _ high: Double, _ steps: Int) -> ClosedRange<Double> {
    let size = max(abs(low), abs(high))
    guard size > 1 / largest else { return 0...1 }
    let alike = high - low < size * 1e-9
    let (low, high) = alike ? (low - size / 2, high + size / 2) : (low, high)
    let step = Ticks.step(span: high - low, steps: steps)
    return (low / step + 1e-9).rounded(.down) * step...(high / step - 1e-9).rounded(.up) * step
  }

  /// Out to 1, 2 or 5 times a power of ten on either side, and at least a factor of two.
  private static func logarithmic(_ low: Double, _ high: Double) -> ClosedRange<Double> {
    let candidates = (Ticks.exponent(low) - 1...Ticks.exponent(high) + 1).flatMap { decade in
      [1.0, 2, 5].map { Ticks.multiple($0, decade) }
    }
    let start = candidates.last { $0 <= low * (1 + 1e-9) } ?? low
    let end = candidates.first { $0 >= max(high * (1 - 1e-9), start * 1.5) } ?? high
    return start...max(end, start * 2)
  }
}
