import CostModels
import Execution
import Hardware
@testable import ModelGraph
import Quantities
import TestSupport
import Testing

@Suite struct CalibrationTests {
  // MARK: Which file wins

  /// The start that is in force after files for any order of specificity, each with its own.
  private func start(_ files: [(String, String)], runtime: String = "vllm") throws -> Double {
    let device = try RoundDevice().device()
    let base = try TestCalibration.calibration("a-base", appliesTo: "class: tensor-core-gpu", TestCalibration.ideal)
    let others = try files.map { appliesTo, time in
      try TestCalibration.calibration("file \(time)", appliesTo: appliesTo, ["gemm_start": time])
    }
    let choice = try CalibrationChoice(
      device: device, runtime: runtime, from: others + [base], folder: "Calibrations")
    return choice.constants[.gemmStart]
  }

  @Test func `a device's file beats a class's, and within each a runtime's beats any`() throws {
    let general = ("class: tensor-core-gpu", "1 s")
    let generalRuntime = ("class: tensor-core-gpu, runtime: vllm", "2 s")
    let own = ("device: round", "3 s")
    let ownRuntime = ("device: round, runtime: vllm", "4 s")
    let order = [general, generalRuntime, own, ownRuntime]
    for (index, winner) in order.enumerated() {
      let files = Array(order[...index])
      let expected = Double(index + 1)
      #expect(try start(files) == expected, "\(winner)")
      #expect(try start(files.reversed()) == expected, "\(winner)")
    }
  }

  @Test func `naming the class besides the device does not outrank a runtime's own file`() throws {
    let files = [("class: tensor-core-gpu, device: round", "1 s"), ("device: round, runtime: vllm", "2 s")]
    #expect(try start(files) == 2)
  }

  @Test func `files for another device, class or runtime are left out`() throws {
    let files = [
      ("device: square", "1 s"), ("class: simd-cpu", "2 s"), ("device: round, runtime: sglang", "3 s"),
      ("class: simd-cpu, device: round", "4 s"),
    ]
    #expect(try start(files) == 0)
    #expect(try start([("device: round, runtime: sglang", "3 s")], runtime: "sglang") == 3)
  }

  @Test func `only the constants a file gives are replaced, and the files used are named in order`() throws {
    let device = try RoundDevice().device()
    let files = [
      try TestCalibration.calibration("mine", appliesTo: "device: round", ["gemm_compute": "0.5"]),
      try TestCalibration.calibration("base", appliesTo: "class: tensor-core-gpu", TestCalibration.ideal),
    ]
    let choice = try CalibrationChoice(device: device, runtime: "vllm", from: files, folder: "Calibrations")
    #expect(choice.names == ["base", "mine"])
    #expect(choice.constants[.gemmCompute] == 0.5)
    #expect(choice.constants[.gemmMemory] == 1)
  }

  @Test func `a constant that no file gives is an error that names it, the device and its class`() throws {
    let device = try RoundDevice().device()
    var constants = TestCalibration.ideal
    constants["gemm_start"] = nil
    constants["power_static"] = nil
    let file = try TestCalibration.calibration("base", appliesTo: "class: tensor-core-gpu", constants)
    do {
      _ = try CalibrationChoice(device: device, runtime: "vllm", from: [file], folder: "Calibrations")
      Issue.record("missing constants were accepted")
    } catch {
      #expect(
        "\(error)".contains(
          "no calibration gives gemm_start, power_static for device 'round' of class tensor-core-gpu"), "\(error)")
    }
  }

  @Test func `a share of zero, and a file for nothing, are refused`() {
    #expect(throws: (any Error).self) {
      try TestCalibration.calibration("zero", appliesTo: "class: simd-cpu", ["gemm_compute": "0"])
    }
    #expect(throws: (any Error).self) {
      try TestCalibration.calibration("nothing", appliesTo: "runtime: vllm", ["gemm_compute": "1"])
    }
  }

  // MARK: Rates of formats

  private func refusal(_ model: String, _ hardware: String, _ formats: FormatRequest) -> String {
    do {
      _ = try Repository.deployment(model, on: hardware, formats: formats)
      return "accepted"
    } catch {
      return "\(error)"
    }
  }

  @Test func `bf16 on Turing is refused with the formats it has, and replaced where nobody asked for it`() throws {
    let asked = refusal("qwen2.5-0.5b", "t4", FormatRequest(activations: .bf16))
    #expect(asked.hasPrefix("t4 has no bf16 arithmetic for activations; it has "), "\(asked)")
    #expect(asked.contains("fp16") && asked.contains("int8"))
    let open = try Repository.deployment("qwen2.5-0.5b", on: "t4")
    #expect(open.plan.formats == Formats(all: .fp16))
    #expect(open.notes == ["t4 has no bf16 arithmetic; fp16 is used in its place"])
    #expect(try Repository.deployment("qwen2.5-0.5b", on: "h100-sxm").notes.isEmpty)
  }

  @Test func `fp8 is refused on Ampere and accepted on Hopper`() throws {
    let formats = FormatRequest(weights: .fp8, activations: .fp8)
    #expect(refusal("llama-3-8b", "a100-sxm-80gb", formats).hasPrefix("a100-sxm-80gb has no fp8 arithmetic"))
    #expect(refusal("llama-3-8b", "h100-sxm", formats) == "accepted")
  }

  @Test func `narrow weights are expanded to the activations' format`() throws {
    let deployment = try Repository.deployment(
      "llama-3-8b", on: "a100-sxm-80gb", formats: FormatRequest(weights: .int4Group128))
    #expect(deployment.plan.formats.compute == .bf16)
  }

  @Test func `a CPU without 16-bit arithmetic widens to fp32`() throws {
    let rates = ComputeRates(try Repository.device("raspberry-pi-4b"))
    #expect(rates.supports(.bf16))
    #expect(rates.rate(.bf16) == rates.rate(.fp32))
    #expect(rates.rate(.fp32) > .zero)
    // A GPU does not.
    #expect(!ComputeRates(try Repository.device("t4")).supports(.bf16))
  }

  @Test func `sums are kept wide: fp32 for floats and int32 for integers`() throws {
    // An RTX 4090 does fp16 at 165 TFLOP/s with fp32 sums, at 330 with fp16 sums.
    let rates = ComputeRates(try Repository.device("rtx-4090"))
    #expect(near(rates.rate(.fp16).value, 165.2e12, within: 0.01))
    #expect(near(rates.rate(.int8).value, 660.6e12, within: 0.01))
    // Matrix units before vector units, and element-wise work on the latter.
    #expect(rates.vector < rates.rate(.fp16))
  }

  @Test func `core classes of a CPU add up and engines of an accelerator do not`() throws {
    let hybrid = try Repository.device("core-i9-12900k")
    let parts = hybrid.engines.filter { $0.style == .vector }.flatMap(\.peaks)
      .filter { $0.input == .fp32 && $0.accumulator == .fp32 }.map(\.rate.value)
    try #require(parts.count == 2)
    let sum = try #require(hybrid.peak(input: .fp32, accumulator: .fp32, style: .vector))
    #expect(near(sum.value, parts[0] + parts[1]))
  }
}
