import EventKernel

/// Round places on an axis.
package enum Ticks {
  /// The power of ten at or below a positive number.
  static func exponent(_ value: Double) -> Int {
    var exponent = Int((PortableMath.log(value) / ln10).rounded(.down))
    // The quotient of two logarithms may fall just short of a whole number.
    if power(exponent + 1) <= value { exponent += 1 }
    if power(exponent) > value { exponent -= 1 }
    return exponent
  }

  static let ln10 = 2.302585092994046

  /// Ten to a whole power, exact up to 10^22.
  static func power(_ exponent: Int) -> Double {
    var power = 1.0
    for _ in 0..<abs(exponent) { power *= 10 }
    return exponent < 0 ? 1 / power : power
  }

  /// The smallest of 1, 2, 5 times a power of ten that divides a span into at most so many steps.
  package static func step(span: Double, steps: Int) -> Double {
    let least = span / Double(max(1, steps))
    let exponent = exponent(least)
    for multiple in [1.0, 2, 5] where Self.multiple(multiple, exponent) >= least * (1 - 1e-12) {
      return Self.multiple(multiple, exponent)
    }
    return power(exponent + 1)
  }

  /// A multiple of a power of ten, rounded once: 3 x 10^-1 is the double 0.3.
  static func multiple(_ factor: Double, _ exponent: Int) -> Double {
    exponent < 0 ? factor / power(-exponent) : factor * power(exponent)
  }

  /// All whole multiples of a step within a domain, ends included.
  package static func linear(_ domain: ClosedRange<Double>, step: Double) -> [Double] {
    let exponent = exponent(step)
    let lead = (step / multiple(1, exponent)).rounded()
    let first = (domain.lowerBound / step - 1e-9).rounded(.up)
    let last = (domain.upperBound / step + 1e-9).rounded(.down)
    guard first <= last, last - first < 1000 else { return [] }
    return (0...Int(last - first)).map { multiple((first + Double($0)) * lead, exponent) }
  }

  /// 1, 2 and 5 times the powers of ten within a domain of positive numbers; the powers alone, then every second,
  /// third ... of them, as soon as there would be more than `limit`.
  package static func logarithmic(_ domain: ClosedRange<Double>, limit: Int) -> [Double] {
    let decades = exponent(domain.lowerBound)...exponent(domain.upperBound)
    let inside = { (value: Double) in
      value >= domain.lowerBound * (1 - 1e-9) && value <= domain.upperBound * (1 + 1e-9)
    }
    for multiples in [[1.0, 2, 5], [1.0]] {
      let ticks = decades.flatMap { decade in multiples.map { multiple($0, decade) } }.filter(inside)
      if ticks.count <= limit { return ticks }
    }
    let powers = decades.filter { inside(power($0)) }
    let stride = (powers.count + max(1, limit) - 1) / max(1, limit)
    // Counted from 10^0, so that 1 is a tick whenever it can be.
    return powers.filter { $0 % stride == 0 }.map { multiple(1, $0) }
  }
}
