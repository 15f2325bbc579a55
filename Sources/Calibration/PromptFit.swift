import CostModels

/// Fits what first tokens of served runs tell beyond the time of a step: the share of compute that prompts reach, and
/// what a request costs outside the engine.
///
/// Replays are long, so the share is the best of a few, on a sample of rows; the overhead then has a closed form.
struct PromptFit {
  private static let shares = [0.25, 0.32, 0.4, 0.5, 0.6, 0.72, 0.86, 1]
  private static let mostRows = 90
  /// Long queues say more about the cache than about prompts.
  private static let mostClients = 64
  /// An error beyond which a row counts as wild.
  private static let wild = 1.0

  /// - Returns: The constants with the two added.
  static func refine(_ constants: Constants, _ rows: [PreparedRun], _ pricer: RunPricer) -> Constants {
    let sample = sample(rows)
    guard !sample.isEmpty else { return constants }
    var best = (score: Double.infinity, constants: constants)
    for share in shares {
      var trial = constants
      trial[.gemmCompute] = share
      let pairs = zip(sample, pricer.predictions(sample, override: trial)).compactMap { row, predicted in
        predicted[.firstToken].flatMap { value in row.run.measured[.firstToken].map { (measured: $0, predicted: value) }
        }
      }
      trial[.requestOverhead] = max(0, overhead(pairs))
      let score = pairs.reduce(0) {
        $0 + min(wild, abs(($1.predicted + trial[.requestOverhead]) / $1.measured - 1))
      }
      if score < best.score { best = (score, trial) }
    }
    return best.constants
  }

  private static func sample(_ rows: [PreparedRun]) -> [PreparedRun] {
    let wanted = rows.filter { $0.run.batch.sequences <= mostClients && $0.run.measured[.firstToken] != nil }
    let stride = max(1, (wanted.count + mostRows - 1) / mostRows)
    return wanted.enumerated().filter { $0.offset % stride == 0 }.map(\.element)
  }

  /// What to add to every prediction for the least mean absolute error relative to the measured values: the median of
  /// the differences, each weighted by one over what was measured.
  static func overhead(_ pairs: [(measured: Double, predicted: Double)]) -> Double {
    let ordered = pairs.map { (difference: $0.measured - $0.predicted, weight: 1 / $0.measured) }
      .sorted { $0.difference < $1.difference }
    let half = ordered.reduce(0) { $0 + $1.weight } / 2
    var sum = 0.0
    for item in ordered {
      sum += item.weight
      if sum >= half { return item.difference }
    }
    return 0
  }
}
