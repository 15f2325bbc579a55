@testable import Calibration
import CostModels
import Documents
import Execution
import Foundation
import ModelGraph
import TestSupport
import Testing

/// The script that measures a GPU writes tables that calibrations are fitted to.
@Suite struct GPUScriptTests {
  private static let script = OperatorTableTests.folder + "/Hardware/Measure/gpu.py"

  /// The columns that the script gives a table, read from the script itself.
  private static func columns(_ name: String) throws -> [String] {
    let text = try String(contentsOfFile: script, encoding: .utf8)
    let start = try #require(text.range(of: "table(\"\(name)\", [")).upperBound
    let end = try #require(text[start...].firstIndex(of: "]"))
    let names = text[start..<end].split(separator: ",").map {
      $0.trimmingCharacters(in: CharacterSet(charactersIn: " \n\""))
    }
    return ["system"] + names.filter { !$0.isEmpty }
  }

  /// A table of the script's columns, of rows that give every column but the first a value.
  private static func table(_ name: String, _ rows: [[String: String]]) throws -> String {
    let columns = try columns(name)
    let lines = try rows.map { row in
      try columns.map { $0 == "system" ? "h100-sxm" : try #require(row[$0], "\(name) has a new column \($0)") }
        .joined(separator: ",")
    }
    return ([columns.joined(separator: ",")] + lines).joined(separator: "\n") + "\n"
  }

  @Test func `products as the script writes them are read as they were measured`() throws {
    let library = try Library(folder: OperatorTableTests.folder)
    let platform = try library.platforms.find("h100-sxm")
    let truth = try TestCalibration.choice(
      for: platform.device, ["gemm_compute": "0.7", "gemm_memory": "0.6", "gemm_start": "4 us"]
    ).constants
    let pricer = OperatorPricer(platform: platform, constants: truth)
    var rows: [[String: String]] = []
    for m in [1, 16, 128, 1024, 8192] {
      for n in [2048, 6144, 28_672] {
        for k in [2048, 4096, 14_336] {
          let parts = try OperatorWork.gemm(rows: m, columns: n, inner: k, .bf16)
          let seconds = parts.reduce(0) { $0 + pricer.price($1).time.value }
          rows.append([
            "framework": "torch", "dtype": "bfloat16", "m": "\(m)", "n": "\(n)", "k": "\(k)",
            "latency_us": "\(seconds * 1e6)",
          ])
        }
      }
    }
    let read = try OperatorTableTests.rows(Self.table("gemm.csv", rows))
    #expect(read.count == rows.count && read.allSatisfy { $0.family == .gemm && $0.device.name == "h100-sxm" })
    // What a fit compares: the constants that made the times price the rows that were read.
    for row in read {
      let priced = row.parts.reduce(0) { $0 + pricer.price($1).time.value }
      #expect(near(row.seconds, priced, within: 1e-9))
    }
  }

  @Test func `attention as the script writes it is read with its sizes`() throws {
    let shape = ["batch_size": "4", "num_heads": "32", "head_dim": "128", "kv_cache_dtype": "bfloat16"]
    let decode = shape.merging(["num_key_value_heads": "8", "kv_len": "1000", "latency_us": "20"]) { $1 }
    let generation = try OperatorTableTests.rows(Self.table("attention_generation.csv", [decode]))
    #expect(generation[0].parts[0].traffic.kvRead.value == 4 * 2 * 1000 * 8 * 256)
    let prompt = shape.merging(["kv_heads": "8", "isl": "100", "latency_us": "20"]) { $1 }
    let context = try OperatorTableTests.rows(Self.table("attention_context.csv", [prompt]))
    #expect(context[0].parts[0].flops.value == 4 * 5050 * 32 * 4 * 128)
  }

  @Test func `scripts that measure are Python`() throws {
    let folder = OperatorTableTests.folder + "/Hardware/Measure"
    let scripts = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".py") }
    #expect(scripts.contains("gpu.py"))
    let python = Process()
    python.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/python3") else { return }
    let check = "import ast, sys\nfor path in sys.argv[1:]: ast.parse(open(path).read(), path)"
    python.arguments = ["-c", check] + scripts.sorted().map { folder + "/" + $0 }
    try python.run()
    python.waitUntilExit()
    #expect(python.terminationStatus == 0)
  }
}
