import Quantities

/// How the ticks of one axis are written: each with its unit, or as bare numbers under one unit in the title.
struct TickFormat {
  let unit: AxisUnit
  /// What stands in brackets after the axis title.
  let titleUnit: String
  /// What one shown unit is, and how many decimals it needs; nothing where every tick has its own.
  private let shared: (scale: Double, decimals: Int)?

  /// Ticks of a linear axis: one prefix for all, as many decimals as the step needs.
  init(linear unit: AxisUnit, largest: Double, step: Double) {
    self.unit = unit
    let shown = largest * unit.factor
    let prefix = unit.takesPrefix && shown != 0 ? DecimalPrefix.fitting(shown) : DecimalPrefix.one
    let power = Self.power(shown / prefix.scale)
    let symbol = prefix.text + unit.symbol
    titleUnit = power == 0 ? symbol : symbol.isEmpty ? "1e\(power)" : "1e\(power) \(symbol)"
    let scale = prefix.scale * Ticks.power(power) / unit.factor
    shared = (scale, Self.decimals(step / scale))
  }

  /// Ticks of a logarithmic axis: every one with its own prefix.
  init(logarithmic unit: AxisUnit) {
    self.unit = unit
    titleUnit = unit.takesPrefix ? "" : unit.symbol
    shared = nil
  }

  /// The power of ten to set apart from numbers that no prefix makes short.
  private static func power(_ largest: Double) -> Int {
    guard largest > 0, largest < 0.001 || largest >= 1e8 else { return 0 }
    return 3 * Int((Double(Ticks.exponent(largest)) / 3).rounded(.down))
  }

  private static func decimals(_ step: Double) -> Int {
    var decimals = 0
    var step = step
    while decimals < 12, step < 0.999 {
      step *= 10
      decimals += 1
    }
    return decimals
  }

  func text(_ value: Double) -> String {
    guard let shared else { return unit.takesPrefix ? unit.text(value) : unit.compact(value) }
    let shown = value / shared.scale
    return shared.decimals == 0 && abs(shown) < 1e15
      ? groupedDigits(Int(shown.rounded())) : fixedText(shown, decimals: shared.decimals)
  }
}
