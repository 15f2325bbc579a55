import CostModels
import Quantities

/// Spells calibration files.
package enum CalibrationText {
  /// A constant to four digits, as a reader of the file will find it.
  static func number(_ value: Double) -> String { roundedText(value, significantDigits: 4) }
}
