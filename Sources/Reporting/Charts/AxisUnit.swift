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

  /// One value on its own: `12 ms`, `3.35 TB/s`, `12.5 %`, `1,234`.
  package func text(_ value: Double, significantDigits digits: Int = 3) -> String {
    let shown = value * factor
    guard takesPrefix, shown != 0 else { return Self.plain(shown, digits) + (symbol.isEmpty ? "" : " " + symbol) }
    let prefix = DecimalPrefix.fitting(shown, significantDigits: digits)
    return Self.plain(shown / prefix.scale, digits) + " " + prefix.text + symbol
  }

  /// One value as a bare number in few letters, for many decades or little room: 0.01, 1, 10k, 5M.
  func compact(_ value: Double) -> String {
    let shown = value * factor
    guard abs(shown) >= 10_000 || abs(shown) < 0.001 else { return roundedText(shown, significantDigits: 3) }
    guard abs(shown) >= 10_000, abs(shown) < 1e18 else { return shown == 0 ? "0" : "\(shown)" }
    let prefix = DecimalPrefix.fitting(shown, significantDigits: 3)
    return roundedText(shown / prefix.scale, significantDigits: 3) + prefix.text
  }

  /// A number with its thousands grouped.
  private static func plain(_ value: Double, _ digits: Int) -> String {
    guard abs(value) >= 1000, abs(value) < 1e15 else { return roundedText(value, significantDigits: digits) }
    return groupedDigits(Int(value.rounded()))
  }
}

/// How the ticks of one axis are written: each with its unit, or as bare numbers under one unit in the title.
struct TickFormat {
  let unit: AxisUnit
  /// What stands in brackets after the axis title.
  let titleUnit: String
  private let each: Bool
  private let scale: Double
  private let decimals: Int

  /// Ticks of a linear axis: one prefix for all, as many decimals as the step needs.
  init(linear unit: AxisUnit, largest: Double, step: Double) {
    self.unit = unit
    let prefix = unit.takesPrefix ? DecimalPrefix.fitting(largest * unit.factor) : DecimalPrefix.one
    titleUnit = largest == 0 ? unit.symbol : prefix.text + unit.symbol
    each = false
    scale = prefix.scale / unit.factor
    var decimals = 0
    var shown = step / scale
    while decimals < 12, shown < 0.999 {
      shown *= 10
      decimals += 1
    }
    self.decimals = decimals
  }

  /// Ticks of a logarithmic axis: every one with its own prefix.
  init(logarithmic unit: AxisUnit) {
    self.unit = unit
    titleUnit = unit.takesPrefix ? "" : unit.symbol
    each = true
    scale = 1
    decimals = 0
  }

  func text(_ value: Double) -> String {
    guard each else {
      let shown = value / scale
      return decimals == 0 && abs(shown) < 1e15
        ? groupedDigits(Int(shown.rounded())) : fixedText(shown, decimals: decimals)
    }
    return unit.takesPrefix ? unit.text(value) : unit.compact(value)
  }
}
