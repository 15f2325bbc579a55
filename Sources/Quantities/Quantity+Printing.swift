extension Quantity: CustomStringConvertible {
  /// Three significant digits with a decimal prefix: `3.35 TB/s`, `80 GB`, `9.12 ms`.
  public var description: String { formatted(significantDigits: 3) }

  /// The quantity with a decimal prefix that leaves one to three digits before the point.
  public func formatted(significantDigits digits: Int) -> String {
    let symbol = D.symbols[0]
    guard value.isFinite else { return "\(value) \(symbol.text)" }
    guard symbol.takesPrefix, value != 0 else {
      return roundedText(value, significantDigits: digits) + " " + symbol.text
    }
    // 999.96 GB rounds to 1 TB, not to 1000 GB.
    let prefix = DecimalPrefix.fitting(value, significantDigits: digits)
    return roundedText(value / prefix.scale, significantDigits: digits) + " " + prefix.text + symbol.text
  }
}

/// A letter before a unit and what it multiplies the unit by.
package struct DecimalPrefix: Sendable {
  package let text: String
  package let scale: Double

  package static let one = DecimalPrefix(text: "", scale: 1)

  /// The prefix that leaves one to three digits before the point, once the number is rounded.
  ///
  /// Numbers too small for the last prefix have it all the same; so has zero.
  package static func fitting(_ value: Double, significantDigits digits: Int = 15) -> DecimalPrefix {
    var place = all.firstIndex { abs(value) >= $0.scale } ?? all.count - 1
    if place > 0, let rounded = Double(roundedText(value / all[place].scale, significantDigits: digits)),
      abs(rounded) >= 1000
    {
      place -= 1
    }
    return all[place]
  }

  private static let all = [
    ("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1),
    ("m", 1e-3), ("u", 1e-6), ("n", 1e-9), ("p", 1e-12), ("f", 1e-15),
  ].map { DecimalPrefix(text: $0.0, scale: $0.1) }
}

/// A number rounded to so many significant digits, without trailing zeros; digits before the point are all kept.
///
/// There is no exponent, except where ``fixedText(_:decimals:)`` has one.
public func roundedText(_ value: Double, significantDigits digits: Int) -> String {
  guard value.isFinite else { return "\(value)" }
  guard value != 0 else { return "0" }
  var magnitude = 0
  var probe = abs(value)
  while probe >= 10 {
    probe /= 10
    magnitude += 1
  }
  while probe < 1 {
    probe *= 10
    magnitude -= 1
  }
  let decimals = max(0, digits - 1 - magnitude)
  var text = fixedText(value, decimals: decimals)
  if text.contains("."), !text.contains("e") {
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
  }
  return text
}

/// A number with exactly so many decimals, rounded half away from zero, independent of the locale.
///
/// From 1e15 on, and beyond the digits a double has, the number keeps Swift's own spelling: `1.5e+20`.
public func fixedText(_ value: Double, decimals: Int) -> String {
  guard value.isFinite, abs(value) < 1e15, decimals <= 18 else { return "\(value)" }
  var scale = 1.0
  for _ in 0..<decimals { scale *= 10 }
  let scaled = (abs(value) * scale).rounded(.toNearestOrAwayFromZero)
  guard scaled < 9e18 else { return "\(value)" }
  let units = UInt64(scaled)
  let power = UInt64(scale)
  let sign = value < 0 && units > 0 ? "-" : ""
  guard decimals > 0 else { return sign + String(units) }
  let fraction = String(units % power)
  return sign + String(units / power) + "." + String(repeating: "0", count: decimals - fraction.count) + fraction
}
