/// Elementary functions that give the same bits on every machine.
///
/// The C library's `log` and `exp` differ in the last bit between libraries and even between processors (fused
/// multiply-add or not), which would let a seed give different bytes elsewhere. These use only operations that
/// IEEE 754 rounds exactly: + - * / and square root. They stay within 5e-16 of the true value, relative for `log` and
/// `exp`, absolute for `normalCDF`.
public enum PortableMath {
  /// ln 2 in two parts; the first has its low bits zero, so that whole multiples of it are exact.
  private static let ln2High = 0x1.62e42feep-1
  private static let ln2Low = 0x1.a39ef35793c76p-33

  /// The natural logarithm.
  ///
  /// x = m 2^k with m near 1, and ln m = 2 artanh(s) = 2 (s + s^3/3 + s^5/5 + ...), s = (m - 1)/(m + 1), |s| < 0.172.
  /// - Precondition: `x` is a positive normal number.
  public static func log(_ x: Double) -> Double {
    precondition(x >= .leastNormalMagnitude && x.isFinite, "log needs a positive normal number")
    let bits = x.bitPattern
    var k = Double(Int(bits >> 52) - 1023)
    var m = Double(bitPattern: bits & 0x000f_ffff_ffff_ffff | 0x3ff0_0000_0000_0000)
    if m > 1.4142135623730951 {
      m *= 0.5
      k += 1
    }
    let s = (m - 1) / (m + 1)
    let q = s * s
    // Two chains of every other power, for the processor to run side by side.
    let square = q * q
    var even = 1.0 / 19
    even = even * square + 1.0 / 15
    even = even * square + 1.0 / 11
    even = even * square + 1.0 / 7
    even = even * square + 1.0 / 3
    var odd = 1.0 / 21
    odd = odd * square + 1.0 / 17
    odd = odd * square + 1.0 / 13
    odd = odd * square + 1.0 / 9
    odd = odd * square + 1.0 / 5
    let sum = even + q * odd
    return k * ln2High + (2 * s + (2 * s * q * sum + k * ln2Low))
  }

  /// e to the power x; 0 and infinity beyond the range of a double.
  ///
  /// x = k ln 2 + r with |r| < 0.347, e^r by its Taylor series to r^13.
  public static func exp(_ x: Double) -> Double {
    if x > 709.79 { return .infinity }
    if x < -745.2 { return 0 }
    guard !x.isNaN else { return x }
    let exponent = nearest(x * 1.4426950408889634)
    let k = Double(exponent)
    let r = (x - k * ln2High) - k * ln2Low
    let square = r * r
    var even = 1.0 / 479_001_600
    even = even * square + 1.0 / 3_628_800
    even = even * square + 1.0 / 40320
    even = even * square + 1.0 / 720
    even = even * square + 1.0 / 24
    even = even * square + 0.5
    var odd = 1.0 / 6_227_020_800
    odd = odd * square + 1.0 / 39_916_800
    odd = odd * square + 1.0 / 362_880
    odd = odd * square + 1.0 / 5040
    odd = odd * square + 1.0 / 120
    odd = odd * square + 1.0 / 6
    let power = 1 + (r + square * (even + r * odd))
    guard exponent > -1022, exponent < 1023 else {
      return Double(sign: .plus, exponent: exponent, significand: power)
    }
    return power * Double(bitPattern: UInt64(1023 + exponent) << 52)
  }

  /// The sine of an angle between -pi/2 and pi/2, within two units in the last place.
  public static func sin(_ x: Double) -> Double {
    precondition(abs(x) <= 1.5707963267948968, "an angle between -pi/2 and pi/2")
    let square = x * x
    var sum = 0.0
    // Taylor's series from its smallest term; the next one is below 1e-18.
    for n in stride(from: 21, through: 3, by: -2) { sum = -(sum + 1) * square / Double(n * (n - 1)) }
    return x * (1 + sum)
  }

  /// The whole number nearest to one of modest size.
  private static func nearest(_ x: Double) -> Int { Int(x + (x < 0 ? -0.5 : 0.5)) }

  /// The share of a standard normal below x.
  ///
  /// The Taylor series to the fifth power around the nearest of a table's places, at most 1/256 away.
  public static func normalCDF(_ x: Double) -> Double {
    if x > largest { return 1 }
    if x < -largest { return 0 }
    guard !x.isNaN else { return x }
    let place = nearest(x * perUnit)
    let a = Double(place) / perUnit
    let h = x - a
    let (share, density) = normalTable[place + normalTable.count / 2]
    let square = a * a
    var sum = (square * (square - 6) + 3) / 120
    sum = sum * h - a * (square - 3) / 24
    sum = sum * h + (square - 1) / 6
    sum = sum * h - a / 2
    sum = sum * h + 1
    return min(1, max(0, share + density * (sum * h)))
  }

  /// Beyond this the share is 0 or 1 to a double's last digit.
  private static let largest = 8.3
  private static let perUnit = 128.0

  /// Share and density of the standard normal at every 1/128 of its range.
  private static let normalTable: ContiguousArray<(share: Double, density: Double)> = {
    let end = Int(largest * perUnit) + 1
    return ContiguousArray((-end...end).map { normal(Double($0) / perUnit) })
  }()

  /// Share and density: 1/2 + density(x) (x + x^3/3 + x^5/(3 5) + x^7/(3 5 7) + ...), after G. Marsaglia, "Evaluating
  /// the Normal Distribution", Journal of Statistical Software 11(4), 2004.
  private static func normal(_ x: Double) -> (share: Double, density: Double) {
    let density = 0.3989422804014327 * exp(-0.5 * x * x)  // 1 / sqrt(2 pi)
    var sum = x
    var term = x
    var previous = 0.0
    var odd = 3.0
    while sum != previous {
      previous = sum
      term *= x * x / odd
      sum += term
      odd += 2
    }
    return (0.5 + density * sum, density)
  }
}
