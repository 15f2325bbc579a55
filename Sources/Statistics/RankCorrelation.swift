import EventKernel

/// How well one order predicts another, and orders that predict as well as stated.
///
/// For two normal numbers with correlation rho, Kendall's tau is (2/pi) asin rho (W. H. Kruskal, "Ordinal Measures of
/// Association", JASA 53, 1958). Tau depends on ranks alone, so it holds for whatever the normals are turned into.
package enum RankCorrelation {
  private static let halfPi = 1.5707963267948966

  /// Kendall's tau of two normals with a correlation.
  /// - Parameter rho: -1 to 1.
  package static func tau(rho: Double) -> Double { asin(min(1, max(-1, rho))) / halfPi }

  /// The correlation of two normals with a Kendall's tau.
  /// - Parameter tau: -1 to 1.
  package static func rho(tau: Double) -> Double { PortableMath.sin(min(1, max(-1, tau)) * halfPi) }

  /// A prediction of a standard normal number, itself standard normal, that ranks as well as stated.
  /// - Parameter rho: From ``rho(tau:)``.
  package static func prediction(of score: Double, rho: Double, _ stream: inout RandomStream) -> Double {
    rho * score + max(0, 1 - rho * rho).squareRoot() * stream.normal()
  }

  /// Arcsine by its series up to a half, and beyond from the half angle: asin x = pi/2 - 2 asin sqrt((1 - x)/2).
  private static func asin(_ x: Double) -> Double {
    if x < 0 { return -asin(-x) }
    if x > 0.5 { return halfPi - 2 * asin(((1 - x) / 2).squareRoot()) }
    var power = x
    var sum = x
    for n in stride(from: 1.0, through: 27, by: 1) {
      power *= x * x * (2 * n - 1) / (2 * n)
      sum += power / (2 * n + 1)
    }
    return sum
  }
}
