import Quantities

/// The unit in which an axis is labelled.
package struct AxisUnit: Sendable, Equatable {
  /// The text after a number; empty for plain numbers.
  package var symbol: String
  /// Whether `k`, `M`, `m` ... may stand before the symbol.
  package var takesPrefix: Bool
  /// What turns a value into the shown number: 100 for per cent.
  package var factor: Double

  package init(_ symbol: String, takesPrefix: Bool = false, factor: Double = 1) {
    self.symbol = symbol
    self.takesPrefix = takesPrefix
    self.factor = factor
  }

  /// The base unit of a dimension, with the prefixes it takes.
  package init<D: Dimension>(_ dimension: D.Type) {
    self.init(D.symbols[0].text, takesPrefix: D.symbols[0].takesPrefix, factor: 1 / D.symbols[0].factor)
  }

  package static let none = AxisUnit("")
  package static let percent = AxisUnit("%", factor: 100)
  package static let seconds = AxisUnit(TimeDimension.self)
  package static let bytes = AxisUnit(SizeDimension.self)
  package static let joules = AxisUnit(EnergyDimension.self)
  package static let watts = AxisUnit(PowerDimension.self)

  /// One value on its own: `12 ms`, `3.35 TB/s`, `12.5 %`, `1,234`, `2.4e-9 USD`.
  package func text(_ value: Double, significantDigits digits: Int = 3) -> String {
    let shown = value * factor
    let prefix = takesPrefix && shown != 0 ? DecimalPrefix.fitting(shown, significantDigits: digits) : DecimalPrefix.one
    let unit = prefix.text + symbol
    return Self.plain(shown / prefix.scale, digits) + (unit.isEmpty ? "" : " " + unit)
  }

  /// One value as a bare number in few letters, for many decades or little room: 0.01, 1, 10k, 5M.
  func compact(_ value: Double) -> String {
    let shown = value * factor
    guard (10_000..<1e15).contains(abs(shown)) else { return Self.plain(shown, 3) }
    let prefix = DecimalPrefix.fitting(shown, significantDigits: 3)
    return roundedText(shown / prefix.scale, significantDigits: 3) + prefix.text
  }

  /// A number with its thousands grouped; with an exponent where it would be mostly zeros.
  private static func plain(_ value: Double, _ digits: Int) -> String {
    switch abs(value) {
    case 0: "0"
    case 1e-4..<1000: roundedText(value, significantDigits: digits)
    case 1000..<1e12: groupedDigits(Int(value.rounded()))
    default: scientific(value, digits)
    }
  }

  private static func scientific(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, abs(value) >= .leastNormalMagnitude else { return "\(value)" }
    let exponent = Ticks.exponent(abs(value))
    let lead = roundedText(value / Ticks.power(exponent), significantDigits: digits)
    // 9.9996 rounds to 10, which is 1 of the next power.
    return lead == "10" || lead == "-10" ? "\(lead.dropLast())e\(exponent + 1)" : "\(lead)e\(exponent)"
  }
}
