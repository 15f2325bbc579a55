import Execution
import ModelGraph
import Quantities
import TestSupport
import Testing

/// Checkpoints are priced in the formats they are published in.
@Suite struct PublishedFormatTests {
  @Test func `gpt-oss-120b takes what its checkpoint takes: experts in mxfp4, the rest in bf16`() throws {
    let deployment = try Repository.deployment("gpt-oss-120b", on: "h100-sxm")
    #expect(deployment.plan.formats.experts == .mxfp4 && deployment.plan.formats.weights == .bf16)
    // The published safetensors files hold 65.2 GB.
    #expect(abs(deployment.memoryLedger().weights.value / 65.2e9 - 1) < 0.005)
  }

  @Test func `an fp8 checkpoint multiplies in fp8 where the device can, and is expanded where it cannot`() throws {
    let hopper = try Repository.deployment(
      "deepseek-v3", on: "hgx-h200", Parallelism(tensor: 8)
    ).plan.formats
    #expect(hopper.weights == .fp8 && hopper.activations == .fp8 && hopper.stream == .bf16)
    let ampere = try Repository.deployment("deepseek-v3", on: "a100-sxm-80gb", Parallelism(tensor: 16))
    #expect(ampere.plan.formats.weights == .fp8 && ampere.plan.formats.activations == .bf16)
    #expect(ampere.notes.contains { $0.contains("no fp8 arithmetic") })
  }

  @Test func `a format the user names replaces the published ones`() throws {
    let formats = try Repository.deployment(
      "gpt-oss-20b", on: "h100-sxm", formats: FormatRequest(weights: .int8)
    ).plan.formats
    #expect(formats.weights == .int8 && formats.experts == .int8)
  }
}
