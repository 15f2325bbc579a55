import CostModels
import Hardware
import Quantities

/// Fitted operator constants before they are a file.
package struct OperatorCalibration: Sendable {
  package var target: Target
  package var outcome: OperatorFit.Outcome
  /// Names of the data files, without folders.
  package var files: [String]
  package var date: String
  package var rows: Int
  /// Errors on rows that a fit did not see.
  package var errors: [OperatorValidation.Line]

  /// What the constants apply to, under any runtime.
  package enum Target: Sendable {
    case device(String)
    case deviceClass(DeviceClass)

    var isClass: Bool {
      if case .deviceClass = self { return true }
      return false
    }

    package var name: String {
      switch self {
      case .device(let device): device + "-operators"
      case .deviceClass(let deviceClass): deviceClass.rawValue + "-operators"
      }
    }

    fileprivate var key: String {
      switch self {
      case .device(let device): "{device: \(device)}"
      case .deviceClass(let deviceClass): "{class: \(deviceClass.rawValue)}"
      }
    }

    fileprivate var title: String {
      switch self {
      case .device(let device): "Operators of \(device), any runtime"
      case .deviceClass(let deviceClass): "Operators of devices of class \(deviceClass.rawValue), any runtime"
      }
    }
  }

  /// The whole file.
  package var document: String {
    let basis =
      target.isClass
      ? "each device predicted from the other devices' rows" : "five folds, each a fifth of the shapes"
    var lines = [
      "name: \(target.name)", "title: \(target.title)", "applies_to: \(target.key)", "date: \(date)", "data: >",
      "  \(files.joined(separator: ", "))", "  (ai-dynamo/aiconfigurator silicon sample, Apache-2.0); \(rows) rows",
      "method: >", "  Bounded least squares with soft L1 loss on log(predicted / measured), operator by operator, by",
      "  'ridgeline calibrate --dataset operators'.\(replays)", "error: >",
      "  Median / 90th percentile of absolute errors, \(basis):",
    ]
    lines += errors.map { "  \(Self.sentence($0))" }
    lines += [
      "valid: >",
      "  bf16; GEMM rows 1 to 32768, columns and inner 32 to 65536; context 16 to 131072; 2 to 8 devices in a node",
      "constants:",
    ]
    lines += ConstantKey.allCases.filter { !outcome.constants[$0].isNaN }.map {
      "  \($0.name): \(CalibrationText.value($0, outcome.constants))"
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private var replays: String {
    outcome.replays.sorted { $0.key.rawValue < $1.key.rawValue }.map { family, replay in
      " Rows of \(family.rawValue) whose data fits \(CalibrationText.number(replay.share)) of the cache were read "
        + "\(CalibrationText.number(replay.speed)) times as fast; prices take them as cold."
    }.joined()
  }

  private static func sentence(_ line: OperatorValidation.Line) -> String {
    "\(line.group.family.rawValue) on \(line.device) \(fixedText(100 * line.summary.median, decimals: 1)) / "
      + "\(fixedText(100 * line.summary.ninetieth, decimals: 1)) % of \(line.summary.count) rows;"
  }
}
