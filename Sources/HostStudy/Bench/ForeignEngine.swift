import Documents
import Foundation

/// Programs that nobody here wrote, run by Python scripts under Hardware/Measure.
package struct ForeignEngine: Sendable {
  package let python: String
  package let scripts: String

  package init(python: String, scripts: String) {
    self.python = python
    self.scripts = scripts
  }

  /// One measured point of llama.cpp.
  package struct Point: Sendable {
    package let step: HostStep
    package let seconds: Double

    package init(step: HostStep, seconds: Double) {
      self.step = step
      self.seconds = seconds
    }
  }

  /// Seconds of a product of square matrices in OpenBLAS, by width.
  package func blas(widths: [Int]) throws -> [Int: Double] {
    var times: [Int: Double] = [:]
    for row in try run("blas.py", widths.map(String.init)) {
      guard row.count == 2, let width = Int(row[0]), let seconds = Double(row[1]), seconds > 0 else {
        throw DataError(file: "blas.py", problem: "printed '\(row.joined(separator: ","))', expected width,seconds")
      }
      times[width] = seconds
    }
    return times
  }

  /// Prompts and decodes of llama.cpp on one thread.
  package func llama(model: String) throws -> [Point] {
    try run("llama_speed.py", [model]).map { row in
      guard row.count == 3, let tokens = Int(row[1]), let seconds = Double(row[2]), seconds > 0 else {
        throw DataError(
          file: "llama_speed.py", problem: "printed '\(row.joined(separator: ","))', expected phase,tokens,seconds")
      }
      return Point(
        step: row[0] == "prefill" ? .prefill(tokens: tokens) : .decode(sequences: 1, context: tokens),
        seconds: seconds)
    }
  }

  private func run(_ script: String, _ arguments: [String]) throws -> [[String]] {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [python, scripts + "/" + script] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(["OPENBLAS_NUM_THREADS": "1"]) { $1 }
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch { throw DataError(file: python, problem: "cannot be run") }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw DataError(
        file: scripts + "/" + script,
        problem: "failed under '\(python)' (is llama-cpp-python or NumPy missing? 'make host-check' installs them)")
    }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map {
      $0.split(separator: ",").map(String.init)
    }
  }
}
