import CostModels
import Hardware
import Quantities

/// A fitted calibration before it is a file.
package struct FittedCalibration: Sendable {
  package var target: Target
  package var constants: Constants
  package var errors: [(key: ConstantKey, error: Double?)]
  package var kind: DatasetKind
  /// Names of the data files, without folders.
  package var files: [String]
  package var rows: [PreparedRun]
  /// Errors on the rows fitted, and with each model left out, by metric.
  package var fitted: [(metric: Metric, summary: ErrorSummary)]
  package var held: [(metric: Metric, summary: ErrorSummary)]
  package var interval: PredictionInterval
  package var date: String

  /// What a calibration applies to.
  package enum Target: Hashable, Sendable {
    case device(String, runtime: String)
    case vendor(String, DeviceClass, runtime: String)
    case deviceClass(DeviceClass, runtime: String)
    /// Power does not depend on the runtime.
    case anyRuntime(DeviceClass)

    /// Whether it serves devices that it was not fitted to.
    var isShared: Bool {
      switch self {
      case .device, .anyRuntime: false
      case .vendor, .deviceClass: true
      }
    }

    package var name: String {
      switch self {
      case .device(let device, let runtime): "\(device)-\(runtime)"
      case .vendor(let vendor, let deviceClass, let runtime):
        "\(deviceClass.rawValue)-\(vendor.lowercased())-\(runtime)"
      case .deviceClass(let deviceClass, let runtime): "\(deviceClass.rawValue)-\(runtime)"
      case .anyRuntime(let deviceClass): "\(deviceClass.rawValue)-power"
      }
    }

    var key: String {
      switch self {
      case .device(let device, let runtime): "{device: \(device), runtime: \(runtime)}"
      case .vendor(let vendor, let deviceClass, let runtime):
        "{class: \(deviceClass.rawValue), vendor: \(vendor), runtime: \(runtime)}"
      case .deviceClass(let deviceClass, let runtime): "{class: \(deviceClass.rawValue), runtime: \(runtime)}"
      case .anyRuntime(let deviceClass): "{class: \(deviceClass.rawValue)}"
      }
    }

    var title: String {
      switch self {
      case .device(let device, let runtime): "\(device) under \(runtime)"
      case .vendor(let vendor, let deviceClass, let runtime):
        "devices of class \(deviceClass.rawValue) by \(vendor) under \(runtime)"
      case .deviceClass(let deviceClass, let runtime): "devices of class \(deviceClass.rawValue) under \(runtime)"
      case .anyRuntime(let deviceClass): "power of devices of class \(deviceClass.rawValue)"
      }
    }
  }
}

/// Spells calibration files.
package enum CalibrationText {
  /// A constant to four digits, as a reader of the file will find it.
  static func number(_ value: Double) -> String { roundedText(value, significantDigits: 4) }

  /// The whole file.
  package static func document(_ fit: FittedCalibration) -> String {
    let range = ShapeRange(fit.rows)
    var lines = [
      "name: \(fit.target.name)", "title: \(fit.target.title)", "applies_to: \(fit.target.key)", "date: \(fit.date)",
      "data: >", "  \(fit.files.joined(separator: ", ")) (\(fit.kind.source)), rows without a reason to exclude;",
      "  \(fit.rows.count) rows of \(range.models) models", "method: >",
      "  Bounded least squares with soft L1 loss on log(predicted / measured), several starts, by 'ridgeline calibrate",
      "  --dataset \(fit.kind.rawValue)'. Standard errors of the constants: \(errors(fit)).", "error: >",
      "  Mean / median absolute percentage error. \(sentences(fit)).", "valid: >", "  \(range.prose)",
      "range: \(range.block)", "interval:",
      "  level: \(number(fit.interval.level))", "  inside: \(factors(fit.interval.inside))",
      "  outside: \(factors(fit.interval.outside))", "constants:",
    ]
    lines += ConstantKey.allCases.filter { !fit.constants[$0].isNaN }.map {
      "  \($0.name): \(value($0, fit.constants))"
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func factors(_ values: MetricValues) -> String {
    "{" + values.present.map { "\($0.rawValue): \(fixedText(values[$0] ?? 1, decimals: 3))" }.joined(separator: ", ")
      + "}"
  }

  static func value(_ key: ConstantKey, _ constants: Constants) -> String {
    key.isTime ? number(constants[key] * 1e6) + " us" : number(constants[key])
  }

  private static func errors(_ fit: FittedCalibration) -> String {
    fit.errors.map { key, error in
      guard let error, fit.constants[key] > 0 else { return "\(key.name) at a bound or undetermined" }
      return "\(key.name) \(fixedText(100 * error / fit.constants[key], decimals: 1)) %"
    }.joined(separator: ", ")
  }

  private static func sentences(_ fit: FittedCalibration) -> String {
    func list(_ summaries: [(metric: Metric, summary: ErrorSummary)]) -> String {
      summaries.map { metric, summary in
        "\(metric.rawValue) \(fixedText(100 * summary.mean, decimals: 1)) / "
          + "\(fixedText(100 * summary.median, decimals: 1)) %"
      }.joined(separator: ", ")
    }
    let held = fit.held.isEmpty ? "" : "; leaving one \(fit.kind.fold.rawValue) out: " + list(fit.held)
    return "Fitted: " + list(fit.fitted) + held
  }
}

/// The sizes that rows span.
struct ShapeRange {
  let batch: ClosedRange<Int>
  let input: ClosedRange<Int>
  let output: ClosedRange<Int>
  let devices: ClosedRange<Int>
  let models: Int

  init(_ rows: [PreparedRun]) {
    func span(_ value: (PreparedRun) -> Int) -> ClosedRange<Int> {
      let values = rows.map(value)
      return (values.min() ?? 1)...(values.max() ?? 1)
    }
    // A server runs from one sequence to as many as it was allowed.
    batch = (rows.map(\.run.batch.sequences).min() ?? 1)...(rows.map(\.run.mostSequences).max() ?? 1)
    input = span { $0.run.batch.inputTokens }
    output = span { $0.run.batch.outputTokens }
    devices = span { $0.run.deviceCount }
    models = Set(rows.map(\.model)).count
  }

  var prose: String {
    "batch \(text(batch)), prompts \(text(input)), answers \(text(output)) tokens, \(text(devices)) devices"
  }

  var block: String {
    "{batch: \(list(batch)), input_tokens: \(list(input)), output_tokens: \(list(output)), devices: \(list(devices))}"
  }

  private func text(_ range: ClosedRange<Int>) -> String { "\(range.lowerBound) to \(range.upperBound)" }
  private func list(_ range: ClosedRange<Int>) -> String { "[\(range.lowerBound), \(range.upperBound)]" }
}
