/// Bounds on errors in a group that nothing is known of yet, from those in other groups.
///
/// Errors of one group lean the same way: how far the next group leans is told by the groups, not by the number of errors.
package enum NewGroup {
  /// Fewest groups that tell how far groups differ.
  package static let fewest = 3

  /// The size that an error in a new group stays within at about this level: the groups' medians are taken as normal, with
  /// Student's quantile for so few of them, and errors about their group's median by the conformal bound; a common
  /// lean adds to both.
  /// - Returns: Nothing for fewer than ``fewest`` groups, or too few errors in all.
  package static func bound(_ groups: [[Double]], level: Double) -> Double? {
    let groups = groups.filter { !$0.isEmpty }
    guard groups.count >= fewest else { return nil }
    let leans = groups.map { Quantile.median($0) }
    let count = Double(leans.count)
    let mean = leans.reduce(0, +) / count
    let variance = leans.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
    let between =
      StudentT.halfWidth(confidence: level, degreesOfFreedom: leans.count - 1)
      * (variance * (1 + 1 / count)).squareRoot()
    let rest = zip(groups, leans).flatMap { group, lean in group.map { abs($0 - lean) } }
    guard let within = Conformal.bound(rest, level: level) else { return nil }
    return abs(mean) + (between * between + within * within).squareRoot()
  }
}
