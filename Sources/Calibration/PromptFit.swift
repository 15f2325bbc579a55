import CostModels

/// Fits what first tokens of served runs tell beyond the time of a step: the share of compute that prompts reach, the
/// host's time to launch an operator in steps with prompts, which no captured graph covers, and what a request costs
/// outside the engine.
///
/// Replays are long, so share and launch are the best of a few, on a sample of rows; the overhead then has a closed form.
struct PromptFit {
  private static let shares = [0.32, 0.45, 0.6, 0.8, 1]
  /// An operator of the graph is one to several kernels.
  private static let launches = [4e-6, 16e-6, 32e-6, 64e-6, 128e-6]
  private static let mostRows = 90
  /// Long queues say more about the cache than about prompts.
  private static let mostClients = 64
  /// An error beyond which a row counts as wild.
  private static let wild = 1.0

  /// - Returns: The constants with the three added.
  static func refine(_ constants: Constants, _ rows: [PreparedRun], _ pricer: RunPricer) -> Constants {
    let sample = sample(rows)
    guard !sample.isEmpty else { return constants }
    var best = (score: Double.infinity, constants: constants)
    for (share, launch) in shares.flatMap({ share in launches.map { (share, $0) } }) {
      var trial = constants
      trial[.gemmCompute] = share
      trial[.launch] = launch
      let predicted = pricer.predictions(sample, override: trial)
      let first = pairs(sample, predicted, .firstToken)
      trial[.requestOverhead] = max(0, overhead(first))
      let score =
        error(first, adding: trial[.requestOverhead]) + error(pairs(sample, predicted, .perToken), adding: 0)
      if score < best.score { best = (score, trial) }
    }
    return best.constants
  }

  private typealias Pair = (measured: Double, predicted: Double)

  private static func pairs(_ rows: [PreparedRun], _ predicted: [MetricValues], _ metric: Metric) -> [Pair] {
    zip(rows, predicted).compactMap { row, values in
      guard let measured = row.run.measured[metric], let value = values[metric] else { return nil }
      return (measured, value)
    }
  }

  /// The sum of relative errors, wild ones cut off.
  private static func error(_ pairs: [Pair], adding time: Double) -> Double {
    pairs.reduce(0) { $0 + min(wild, abs(($1.predicted + time) / $1.measured - 1)) }
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
