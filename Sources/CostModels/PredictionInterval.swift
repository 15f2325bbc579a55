import Documents
import Quantities

/// How far a measurement may lie from a prediction: by metric, the factor by which either may exceed the other.
///
/// Factors are conformal: quantiles of errors on rows that a fit did not see, so that the share of such rows within
/// them is the level.
package struct PredictionInterval: Sendable, Equatable {
  /// Share of measurements expected within.
  package var level: Double
  /// For sizes within the range of the data, and beyond it.
  package var inside: MetricValues
  package var outside: MetricValues

  package init(level: Double, inside: MetricValues, outside: MetricValues) {
    self.level = level
    self.inside = inside
    self.outside = outside
  }

  static func parse(_ node: Node) throws -> PredictionInterval {
    try node.strictObject { block in
      func factors(_ key: String) throws -> MetricValues {
        try block.required(key).strictObject { table in
          var values = MetricValues()
          for metric in Metric.allCases { values[metric] = try table.optionalDouble(metric.rawValue, in: 1...100) }
          return values
        }
      }
      return PredictionInterval(
        level: try block.double("level", in: 0.5...0.999), inside: try factors("inside"),
        outside: try factors("outside"))
    }
  }
}

/// The intervals that apply to a deployment, from the most specific calibration to the most general.
package struct IntervalChoice: Sendable {
  private var entries: [(interval: PredictionInterval, range: CalibratedRange?)] = []

  package init() {}

  /// - Parameter calibrations: Those in use, most general first.
  init(_ calibrations: [Calibration]) {
    entries = calibrations.reversed().compactMap { file in file.interval.map { ($0, file.range) } }
  }

  /// The level all files state; nothing when none gives an interval.
  package var level: Double? { entries.first?.interval.level }

  /// The factor for a metric of a run of some size, from the most specific file that knows it.
  ///
  /// A file that has measured answers as a whole, or token by token, knows the other from it: tokens are most of an
  /// answer. First tokens are another matter.
  package func factor(_ metric: Metric, for size: RunSize) -> Double? {
    for (interval, range) in entries {
      let factors = range?.contains(size) ?? true ? interval.inside : interval.outside
      if let factor = factors[metric] ?? metric.kin.flatMap({ factors[$0] }) { return factor }
    }
    return nil
  }
}

extension Metric {
  /// The metric that errs alike.
  fileprivate var kin: Metric? {
    switch self {
    case .endToEnd: .perToken
    case .perToken: .endToEnd
    case .firstToken, .power: nil
    }
  }
}

/// What a run's size is compared by.
package struct RunSize: Sendable {
  package var batch: Int
  package var inputTokens: Int
  package var outputTokens: Int
  package var devices: Int

  package init(batch: Int, inputTokens: Int, outputTokens: Int, devices: Int) {
    self.batch = batch
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.devices = devices
  }
}

extension CalibratedRange {
  package func contains(_ size: RunSize) -> Bool {
    batch.contains(size.batch) && inputTokens.contains(size.inputTokens) && outputTokens.contains(size.outputTokens)
      && devices.contains(size.devices)
  }
}
