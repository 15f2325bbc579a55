extension PortableMath {
  /// x to a power.
  /// - Precondition: `x` is a positive normal number.
  public static func power(_ x: Double, _ exponent: Double) -> Double { exp(exponent * log(x)) }

  /// The gamma function, within 1e-13 of the true value, relatively.
  ///
  /// C. Lanczos, "A Precision Approximation of the Gamma Function", SIAM J. Numer. Anal. B 1, 1964, with the widely
  /// used coefficients for g = 7 and nine terms.
  /// - Precondition: 1 <= `x` <= 100.
  public static func gamma(_ x: Double) -> Double {
    precondition(x >= 1 && x <= 100, "the gamma function is for 1 to 100")
    let z = x - 1
    var sum = lanczos[0]
    for index in 1..<lanczos.count { sum += lanczos[index] / (z + Double(index)) }
    let t = z + 7.5
    return 2.5066282746310002 * power(t, z + 0.5) * exp(-t) * sum  // sqrt(2 pi)
  }

  private static let lanczos = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ]

  /// Sine and cosine of an angle in whole turns: 0.25 is a right angle. Within 1e-15 of the true values.
  ///
  /// The Taylor series within an eighth of a turn of the nearest right angle.
  /// - Precondition: |`turns`| < 2^50.
  public static func sineCosine(turns: Double) -> (sine: Double, cosine: Double) {
    let quarter = (4 * turns).rounded()
    let angle = (turns - quarter / 4) * 6.283185307179586
    let square = angle * angle
    let (sine, cosine) = (angle * series(square, from: 3), series(square, from: 2))
    switch Int(quarter) & 3 {
    case 0: return (sine, cosine)
    case 1: return (cosine, -sine)
    case 2: return (-sine, -cosine)
    default: return (-cosine, sine)
    }
  }

  /// 1 - q/((n-1) n) (1 - q/((n+1)(n+2)) (...)): the sine's series over its argument for n = 3, the cosine's for 2.
  private static func series(_ square: Double, from first: Double) -> Double {
    var sum = 1.0
    var factor = first + 16
    while factor >= first {
      sum = 1 - square / ((factor - 1) * factor) * sum
      factor -= 2
    }
    return sum
  }
}
