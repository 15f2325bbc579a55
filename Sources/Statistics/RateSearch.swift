/// The largest rate that still meets some objectives, by expanding and halving a bracket.
///
/// Trials should use common random numbers (the same seed at every rate), so that a higher rate is the same traffic in
/// less time and the answer changes from yes to no once.
///
/// ```swift
/// let search = try RateSearch(RateSearchSettings(start: 1), trial: run(at:), meets: { $0.missRate <= 0.1 })
/// print(search.bracket)
/// ```
package struct RateSearch<Outcome> {
  package struct Trial {
    package var rate: Double
    package var meets: Bool
    package var outcome: Outcome
  }

  /// All trials, in the order in which they were made.
  package private(set) var trials: [Trial] = []

  /// The highest rate that met the objectives; nothing when none did.
  package var best: Trial? { trials.filter(\.meets).max { $0.rate < $1.rate } }
  /// The lowest rate that did not; nothing when all met them.
  package var worst: Trial? { trials.filter { !$0.meets }.min { $0.rate < $1.rate } }

  /// Where the largest rate lies: from one that met the objectives to one that did not. Nothing where the limits or the
  /// number of trials ended the search before there were both.
  package var bracket: ClosedRange<Double>? {
    guard let best, let worst else { return nil }
    return best.rate...worst.rate
  }

  /// Whether the bracket is as narrow as wanted.
  package let converged: Bool

  /// Searches.
  /// - Parameters:
  ///   - trial: Runs at one rate.
  ///   - meets: Whether an outcome meets the objectives.
  /// - Throws: What a trial throws.
  package init<Failure: Error>(
    _ settings: RateSearchSettings, trial: (Double) throws(Failure) -> Outcome, meets: (Outcome) -> Bool
  ) throws(Failure) {
    var trials: [Trial] = []
    var (low, high): (Double?, Double?) = (nil, nil)
    var next: Double? = settings.start
    while let rate = next, trials.count < settings.trials {
      let outcome = try trial(rate)
      trials.append(Trial(rate: rate, meets: meets(outcome), outcome: outcome))
      if trials[trials.count - 1].meets { low = rate } else { high = rate }
      next = Self.next(low: low, high: high, settings)
    }
    self.trials = trials
    converged = next == nil && low != nil && high != nil
  }

  /// The rate to try next; nothing when there is no need or no room.
  private static func next(low: Double?, high: Double?, _ settings: RateSearchSettings) -> Double? {
    switch (low, high) {
    case (let low?, let high?):
      guard high > low * (1 + settings.tolerance) else { return nil }
      let middle = (low * high).squareRoot()
      return middle > low && middle < high ? middle : nil
    case (let low?, nil):
      return low < settings.limits.upperBound ? min(low * settings.growth, settings.limits.upperBound) : nil
    case (nil, let high?):
      return high > settings.limits.lowerBound ? max(high / settings.growth, settings.limits.lowerBound) : nil
    case (nil, nil): return settings.start
    }
  }
}
