import Documents
import Quantities
import Testing

@testable import CostModels
@testable import Hardware

@Suite struct CalibrationTests {
  private func text(target: String = "{class: tensor-core-gpu}", constants: String = "{gemm_compute: 0.8}") -> String {
    """
    name: test
    title: Test
    applies_to: \(target)
    date: 2026-01-01
    data: made up
    method: none
    error: unknown
    valid: nowhere
    constants: \(constants)
    """
  }

  private func read(_ text: String) throws -> Calibration {
    try Calibration.parse(YAMLDocument.parse(text, file: "test.yaml"), name: "test")
  }

  @Test(arguments: [
    ("{gemm_compute: 0}", "test.yaml:9: constants.gemm_compute: found 0.0, expected a number from 0.001 to 2.0"),
    ("{gemm_compute: 84}", "test.yaml:9: constants.gemm_compute: found 84.0, expected a number from 0.001 to 2.0"),
    ("{gemm_compute: 0.8 s}", "test.yaml:9: constants.gemm_compute: found '0.8 s', expected a finite number"),
    ("{gemm_start: 3}", "test.yaml:9: constants.gemm_start: found '3' without a unit, expected a time such as '1 s'"),
    ("{gemm_start: -3 us}", "test.yaml:9: constants.gemm_start: found '-3 us', expected a non-negative time"),
    ("{gem_compute: 0.8}", "test.yaml:9: constants.gem_compute: unknown key; did you mean 'gemm_compute'?"),
  ])
  func `a faulty constant is refused at its place`(constants: String, expected: String) {
    #expect(message { try read(text(constants: constants)) } == expected)
  }

  @Test(arguments: [
    ("{}", "test.yaml:3: applies_to: names neither a device nor a class"),
    ("{runtime: vllm}", "test.yaml:3: applies_to: names neither a device nor a class"),
    ("{class: tensor-gpu}", "test.yaml:3: applies_to.class: found 'tensor-gpu', expected one of"),
    ("{class: storage, x: 1}", "test.yaml:3: applies_to.x: unknown key"),
  ])
  func `a faulty target is refused at its place`(target: String, expected: String) {
    let found = message { try read(text(target: target)) }
    #expect(found.hasPrefix(expected), "\(found)")
  }

  @Test func `the closer aim wins, constant by constant`() throws {
    let device = try Shipped.device("h100-sxm")
    let general = try Shipped.calibrations().all()
    let closer = try read(text(target: "{device: h100-sxm}", constants: "{gemm_compute: 0.9, gemm_start: 1 us}"))
    let closest = try read(text(target: "{device: h100-sxm, runtime: vllm-v1}", constants: "{gemm_compute: 0.95}"))
    let other = try read(text(target: "{device: t4}", constants: "{gemm_memory: 0.1}"))
    let all = [closest, closer, other] + general
    let choice = try CalibrationChoice(device: device, runtime: "vllm-v1", from: all, folder: "f")
    #expect(choice.constants.share(.gemmCompute) == 0.95)
    #expect(choice.constants.time(.gemmStart) == Seconds(1e-6))
    #expect(choice.constants.share(.gemmMemory) != 0.1)
    let elsewhere = try CalibrationChoice(device: device, runtime: "sglang", from: all, folder: "f")
    #expect(elsewhere.constants.share(.gemmCompute) == 0.9)
  }

  @Test func `a device that no calibration covers is refused with the constants it lacks`() throws {
    let device = try Shipped.device("h100-sxm")
    let found = message {
      try CalibrationChoice(device: device, runtime: "vllm-v1", from: [try read(text())], folder: "Calibrations")
    }
    #expect(found.hasPrefix("Calibrations: no calibration gives gemm_memory, gemm_start, "), "\(found)")
    #expect(found.hasSuffix("for device 'h100-sxm' of class tensor-core-gpu"), "\(found)")
  }
}
