import CostModels

extension Deployment {
  /// The factor by which a measurement of a batch may lie above or below its prediction, at the level the calibrations
  /// state; nothing when none of them states an interval.
  package func intervalFactor(_ metric: Metric, for batch: BatchCase) -> Double? {
    let size = RunSize(
      batch: batch.sequences, inputTokens: batch.inputTokens, outputTokens: batch.outputTokens,
      devices: parallelism.devices / platform.dies)
    return intervals.factor(metric, for: size)
  }

  /// The same for energy: errors of power and of time, taken as independent.
  package func energyIntervalFactor(for batch: BatchCase) -> Double? {
    guard let power = intervalFactor(.power, for: batch), let time = intervalFactor(.endToEnd, for: batch) else {
      return nil
    }
    return 1 + ((power - 1) * (power - 1) + (time - 1) * (time - 1)).squareRoot()
  }
}
