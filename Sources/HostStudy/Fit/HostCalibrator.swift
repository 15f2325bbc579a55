import CostModels
import Quantities
import ReferenceEngine
import Statistics

/// Writes a calibration file of one format on so many threads.
package struct HostCalibrator {
  package let files: HostFiles
  package let shipped: [Calibration]
  package let date: String

  package init(files: HostFiles, shipped: [Calibration], date: String) {
    self.files = files
    self.shipped = shipped
    self.date = date
  }

  /// - Returns: The median absolute error on the operators that were fitted.
  package func write(
    _ samples: [HostSample], _ format: WeightFormat, threads: Int, noise: String
  ) throws -> Double {
    let device = try files.device(threads)
    let base = try CalibrationChoice(
      device: device, runtime: HostFiles.runtimeName(format), from: shipped, folder: "Calibrations")
    let fit = try HostFit(platform: HostPredictor.platform(device), base: base.constants).fit(samples)
    let error = fit.ratios.isEmpty ? 0 : Quantile.median(fit.ratios.map { abs($0 - 1) })
    let ninetieth = fit.ratios.isEmpty ? 0 : Quantile.value(fit.ratios.map { abs($0 - 1) }, at: 0.9)
    let steps = samples.count
    let constants = fit.keys.map { "  \($0.name): \(text($0, fit.constants[$0]))" }.joined(separator: "\n")
    try HostFiles.write(
      """
      name: \(files.calibrationName(format, threads))
      title: Reference engine on this machine, \(format.rawValue) weights, \(threads) threads
      applies_to: {device: \(files.deviceName(threads)), runtime: \(HostFiles.runtimeName(format))}
      date: \(date)
      data: >
        \(steps) steps of \(HostShape.fitted.count) model shapes measured here by 'ridgeline host calibrate'. \(noise)
      method: >
        Bounded least squares with soft L1 loss on log(predicted / measured), operators family by family; what steps take
        besides by medians.
      error: >
        Operators that were fitted: median \(percent(error)), 90th percentile \(percent(ninetieth)); others by
        'ridgeline host validate'.
      valid: prompts of 16 to 2048 tokens, batches of 1 to 32, contexts to 4096
      constants:
      \(constants)

      """, files.calibrationPath(format, threads))
    return error
  }

  private func text(_ key: ConstantKey, _ value: Double) -> String {
    key.isTime ? "\(Seconds(value))" : roundedText(value, significantDigits: 4)
  }

  private func percent(_ share: Double) -> String { roundedText(100 * share, significantDigits: 2) + " %" }
}
