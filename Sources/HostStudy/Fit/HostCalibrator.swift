import CostModels
import Quantities
import ReferenceEngine
import Statistics

/// Writes a calibration file of one format on so many threads.
package struct HostCalibrator {
  package let files: HostFiles
  package let date: String

  package init(files: HostFiles, date: String) {
    self.files = files
    self.date = date
  }

  /// Fits one format on so many threads to the models that are there to be fitted.
  /// - Returns: The median absolute error on the operators that were fitted.
  package func write(
    _ measurement: HostMeasurement, _ format: WeightFormat, threads: Int, noise: String
  ) throws -> Double {
    let all = measurement.samples.filter { $0.threads == threads && $0.shape.isFitted }
    let samples = all.filter { $0.format == format }
    let fit = try HostFit(measurement.facts.instructions).fit(samples, others: all)
    let errors = fit.ratios.map { abs($0 - 1) }
    let (error, ninetieth) = errors.isEmpty ? (0, 0) : (Quantile.median(errors), Quantile.value(errors, at: 0.9))
    let constants = fit.constants.map { "  \($0.key.name): \(Seconds($0.value))" }
    try HostFiles.write(
      """
      name: \(files.calibrationName(format, threads))
      title: Reference engine on this machine, \(format.rawValue) weights, \(threads) threads
      applies_to: {device: \(files.deviceName(threads)), runtime: \(HostFiles.runtimeName(format))}
      date: \(date)
      data: >
        \(samples.count) steps of \(Set(samples.map(\.shape)).count) model shapes measured here by 'ridgeline host
        calibrate' or 'validate'. \(noise)
      method: >
        Bounded least squares with soft L1 loss on log(predicted / measured), operator by operator: of products, a time
        for each weight by number of rows; what steps take besides by medians.
      error: >
        Operators that were fitted: median \(percent(error)), 90th percentile \(percent(ninetieth)); others by
        'ridgeline host validate'.
      valid: prompts of 16 to 2048 tokens, batches of 1 to 32, contexts to 4096
      constants:
      \(constants.joined(separator: "\n"))
      \(KernelText(kernels: fit.kernels).lines.joined(separator: "\n"))

      """, files.calibrationPath(format, threads))
    return error
  }

  private func percent(_ share: Double) -> String { roundedText(100 * share, significantDigits: 2) + " %" }
}
