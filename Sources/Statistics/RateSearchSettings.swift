/// Where a search begins and ends.
package struct RateSearchSettings: Sendable {
  /// The first rate tried.
  package var start: Double
  /// Rates beyond are not tried.
  package var limits: ClosedRange<Double>
  /// The bracket is narrow enough when its ends differ by this share.
  package var tolerance: Double
  /// What the first steps multiply or divide the rate by.
  package var growth: Double
  /// Never more trials than this.
  package var trials: Int

  package init(
    start: Double, limits: ClosedRange<Double> = 1e-6...1e9, tolerance: Double = 0.01, growth: Double = 2,
    trials: Int = 60
  ) {
    precondition(limits.lowerBound > 0 && limits.contains(start), "the first rate lies within positive limits")
    precondition(tolerance > 0 && growth > 1 && trials >= 1, "steps have a size")
    self.start = start
    self.limits = limits
    self.tolerance = tolerance
    self.growth = growth
    self.trials = trials
  }
}
