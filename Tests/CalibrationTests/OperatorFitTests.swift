@testable import Calibration
import CostModels
import Documents
import Execution
import ModelGraph
import Quantities
import TestSupport
import Testing

/// Fits find the constants that made the rows, and say so in files that are read back.
@Suite struct OperatorFitTests {
  private static let sizes = [16, 256, 2048, 16_384]

  /// Products on an H100 whose times were computed with known constants.
  private func made(_ constants: [String: String]) throws -> (rows: [MeasuredOperator], truth: Constants) {
    let library = try Library(folder: OperatorTableTests.folder)
    let platform = try library.platforms.find("h100-sxm")
    let truth = try TestCalibration.choice(for: platform.device, constants).constants
    let pricer = OperatorPricer(platform: platform, constants: truth)
    var rows: [MeasuredOperator] = []
    for rowCount in [1, 40, 300, 2048, 9000] {
      for columns in Self.sizes {
        for inner in [32, 256, 1024, 8192] {
          let parts = try OperatorWork.gemm(rows: rowCount, columns: columns, inner: inner, .bf16)
          rows.append(
            MeasuredOperator(
              family: .gemm, platform: platform, format: "bfloat16", source: "made", shape: "\(columns) \(inner)",
              parts: parts, seconds: parts.reduce(0) { $0 + pricer.price($1).time.value }))
        }
      }
    }
    return (rows, truth)
  }

  private static let constants = [
    "gemm_compute": "0.7", "gemm_memory": "0.6", "gemm_start": "4 us", "gemm_fill": "0.5 us", "gemm_step": "2 ns",
    "gemm_load": "40", "gemm_store": "2", "gemm_write": "1.5", "gemm_wave": "0.5", "gemm_split_start": "3 us",
  ]

  @Test func `constants that made the times are found again`() throws {
    let (rows, truth) = try made(Self.constants)
    var fit = OperatorFit()
    fit.starts = 1
    let found = try fit.fit(rows) { _ in truth }.constants
    // Loading shows only where tiles are small, between memory and arithmetic, so few rows tell it.
    for key in [ConstantKey.gemmCompute, .gemmMemory, .gemmStart, .gemmStep, .gemmLoad, .gemmWrite] {
      let within = key == .gemmLoad ? 0.15 : 0.03
      #expect(near(found[key], truth[key], within: within), "\(key.name): \(found[key]) for \(truth[key])")
    }
  }

  @Test func `a validation's error is nothing where the model is the truth, and files read back`() throws {
    let (rows, _) = try made(Self.constants)
    let library = try Library(folder: OperatorTableTests.folder)
    var validation = OperatorValidation(rows, library: library)
    validation.fit.starts = 1
    let line = try #require(try validation.lines(.folds).first)
    #expect(line.summary.median < 0.03 && line.summary.count == rows.count && line.device == "h100-sxm")
    // Other devices have no rows here.
    #expect(try validation.lines(.transfer).isEmpty)
    let calibration = try #require(try validation.calibrations(files: ["made.csv"], date: "2026-01-02").first)
    #expect(calibration.target.name == "h100-sxm-operators")
    let read = try Calibration.parse(
      YAMLDocument.parse(calibration.document, file: "made"), name: calibration.target.name)
    #expect(read.device == "h100-sxm" && read.date == "2026-01-02" && read.runtime == nil)
    #expect(near(read.constants[.gemmCompute], 0.7, within: 0.03))
    #expect(read.constants[.expertCompute].isNaN)
  }

  @Test func `data that fits the cache is read faster when measured again and again`() throws {
    let platform = try Library(folder: OperatorTableTests.folder).platforms.find("h100-sxm")
    let replay = WarmReplay(share: 0.5, speed: 4)
    var work = try #require(
      try OperatorWork.decodeAttention(.init(query: 8, kv: 8, width: 128, cache: .bf16), sequences: 1, context: 1)
        .first)
    work.traffic.kvRead = Bytes(1000.0)
    #expect(near(replay.seen(work, on: platform.device).traffic.kvRead.value, 250, within: 1e-6))
    work.traffic.kvRead = Bytes(1e12)
    #expect(near(replay.seen(work, on: platform.device).traffic.kvRead.value, 1e12, within: 1e-6))
  }
}
