import ArgumentParser
import Calibration
import Documents
import Execution
import Foundation

struct CalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Fits calibration constants to measured data and writes calibration files.",
    discussion: """
      Fits a few constants for each device under each runtime, and for each class \
      of devices under a runtime that several of its devices have. Every file \
      states its date, data, error (fitted, and leaving a part out) and range. \
      The same rows and date give the same bytes.

        ridgeline calibrate --dataset llm-inference-bench \\
            llm_inference_bench.csv
        ridgeline calibrate --dataset csv my-runs.csv --output out

      """ + DatasetOptions.kindsText)

  @OptionGroup var dataset: DatasetOptions

  @Option(help: "Folder to write to; default: Hardware/Calibrations of the data folder in use.")
  var output: String?

  @OptionGroup var day: DateOption

  func run() throws {
    let date = try day.resolved()
    let library = try Library()
    let documents = try documents(library, date: date, files: dataset.files.map { ($0 as NSString).lastPathComponent })
    guard !documents.isEmpty else {
      throw DataError(file: dataset.files.joined(separator: ", "), problem: "has too few rows of any device to fit")
    }
    let folder = output ?? library.calibrationFolder
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for document in documents {
      let file = try OutputFile(path: "\(folder)/\(document.name).yaml")
      try file.write(document.text)
      try file.finish()
      standardError("wrote \(file.path)")
    }
  }

  private func documents(
    _ library: Library, date: String, files: [String]
  ) throws -> [(name: String, text: String)] {
    if dataset.dataset == .operators {
      return try dataset.operators(library).calibrations(files: files, date: date).map { ($0.target.name, $0.document) }
    }
    return try FoldedFit(dataset.prepared(library), library: library, kind: dataset.dataset)
      .calibrations(kind: dataset.dataset, files: files, date: date)
      .map { ($0.target.name, CalibrationText.document($0)) }
  }
}
