import CostModels
import Execution
import Hardware
import ModelGraph
import Quantities
import TestSupport
import Testing

@Suite struct HostCoreTests {
  private func deployment(_ hardware: String, _ core: HostCore?) throws -> Deployment {
    var request = Library.Request(model: "gpt2", hardware: hardware, runtime: "hugging-face")
    request.hostCore = core
    return try Placed.library.get().deployment(request)
  }

  @Test func `without a core of its own a system's host times are the calibrations'`() throws {
    let plain = try deployment("gh200-node", nil).pricer.constants
    let reference = try deployment("gh200-node", .named("xeon-platinum-8480-plus")).pricer.constants
    #expect(plain == reference)
  }

  @Test func `another core takes as many times as long as its empty kernel does`() throws {
    let plain = try deployment("gh200-node", nil).pricer.constants
    let grace = try deployment("gh200-node", .own).pricer.constants
    // 2771.6 over 2374.6 ns.
    #expect(near(grace[.launch] / plain[.launch], 2771.6 / 2374.6, within: 1e-9))
    #expect(near(grace[.stepOverhead] / plain[.stepOverhead], 2771.6 / 2374.6, within: 1e-9))
    #expect(grace[.gemmCompute] == plain[.gemmCompute])
  }

  @Test func `the device-bound batch is the first whose devices take longer than its launches`() throws {
    for hardware in ["gh200-node", "h100-pcie-server", "dgx-a100"] {
      let deployment = try deployment(hardware, .own)
      let spans = deployment.graph.spans
      func step(_ sequences: Int) -> StepShape { .prefill(sequences: sequences, tokens: 512, spans: spans) }
      let batch = try #require(deployment.deviceBoundBatch(step))
      #expect(batch > 1)
      let (before, at) = (
        try #require(deployment.launchBalance(step(batch - 1))), try #require(deployment.launchBalance(step(batch)))
      )
      #expect(before.waitsForHost && !at.waitsForHost)
      // What the step takes is the longer of both, and what the host does besides.
      let constants = deployment.pricer.constants
      let rest =
        constants.time(.stepOverhead) + constants.time(.stepPerSequence) * Double(batch - 1)
        + constants.time(.stepWithPrompts)
      #expect(near(deployment.price(step(batch - 1)).time.value, (before.launching + rest).value, within: 1e-9))
    }
  }

  @Test func `a slower core moves the device-bound batch to a larger one`() throws {
    func batch(_ core: HostCore) throws -> Int {
      let deployment = try deployment("gh200-node", core)
      let spans = deployment.graph.spans
      return try #require(deployment.deviceBoundBatch { .prefill(sequences: $0, tokens: 512, spans: spans) })
    }
    let (grace, xeon) = (try batch(.own), try batch(.named("xeon-platinum-8480-plus")))
    #expect(grace > xeon)
  }

  @Test func `captured graphs have no launches to wait for`() throws {
    let request = Library.Request(model: "llama-3-8b", hardware: "h100-sxm", runtime: "vllm-v1")
    let deployment = try Placed.library.get().deployment(request)
    #expect(deployment.runtime.graphCapture)
    let spans = deployment.graph.spans
    #expect(deployment.launchBalance(.decode(sequences: 1, context: 100, spans: spans)) == nil)
    #expect(deployment.deviceBoundBatch { .decode(sequences: $0, context: 100, spans: spans) } == 1)
  }

  @Test func `a core that cannot be compared is refused with those that can`() {
    func message(_ hardware: String, _ core: HostCore) -> String {
      do {
        _ = try deployment(hardware, core)
        return ""
      } catch { return "\(error)" }
    }
    #expect(
      message("h100-sxm", .named("ryzen-9-7950x")).hasPrefix(
        "the file of ryzen-9-7950x says nothing of launches, so its core cannot be compared; those of epyc-7763"))
    #expect(message("h100-sxm", .own) == "h100-sxm has no processor beside its devices; name one in place of 'own'")
    #expect(message("h100-sxm", .named("grace")).contains("did you mean 'Grace CPU'"))
  }
}
