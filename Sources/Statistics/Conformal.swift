/// Split-conformal bounds: how large an error is, at most, with some probability.
package enum Conformal {
  /// The bound that a new error of the same kind stays within with at least this probability: the ceil((n + 1) level)-th
  /// smallest of n (V. Vovk, A. Gammerman and G. Shafer, "Algorithmic Learning in a Random World", 2005).
  /// - Returns: Nothing when there are too few errors to promise it.
  package static func bound(_ sizes: [Double], level: Double) -> Double? {
    let rank = Int((Double(sizes.count + 1) * level).rounded(.up))
    guard rank >= 1, rank <= sizes.count else { return nil }
    return sizes.sorted()[rank - 1]
  }

  /// Fewest errors that promise a level.
  package static func fewest(level: Double) -> Int { Int((level / (1 - level)).rounded(.up)) }
}
