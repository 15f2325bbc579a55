import CostModels
import Execution
import Hardware
@testable import ModelGraph
import Quantities
import TestSupport
import Testing

@Suite struct SystolicTests {
  private func pricer(_ hardware: String) throws -> OperatorPricer {
    try Placed.library.get().deployment(
      Library.Request(model: "llama-3.2-1b", hardware: hardware, runtime: "vllm-v1")
    ).pricer
  }

  private func product(_ rows: Int, _ columns: Int, _ inner: Int) -> Operator {
    Operator(
      name: "product", kind: .gemm(GEMMShape(rows: rows, columns: columns, inner: inner)), count: 1,
      flops: FLOPs(2 * Double(rows * columns * inner)),
      traffic: ModelGraph.Traffic(weights: Bytes(1), activations: Bytes(1)), compute: .bf16)
  }

  @Test func `inner elements that do not fill the array's rows cost as much as those that do`() throws {
    let pricer = try pricer("tpu-v6e")
    #expect(pricer.platform.device.systolicArray?.rows == 256)
    let (narrow, full) = (pricer.price(product(4096, 4096, 130)), pricer.price(product(4096, 4096, 256)))
    // Loading goes by whole rows too, so the two take the same time to a thousandth.
    #expect(near(narrow.time.value * 130 / 256, full.time.value * 130 / 256, within: 0.01))
    let next = pricer.price(product(4096, 4096, 257))
    #expect(next.time.value > 1.1 * full.time.value)
  }

  @Test func `results narrower than the array's columns cost as much as the whole array`() throws {
    let pricer = try pricer("tpu-v6e")
    let (few, many) = (pricer.price(product(65536, 8, 4096)), pricer.price(product(65536, 200, 4096)))
    #expect(few.time > 0.3 * many.time)
  }

  @Test func `a device without an array steps through inner elements as before`() throws {
    let pricer = try pricer("h100-sxm")
    #expect(pricer.platform.device.systolicArray == nil)
    let (some, more) = (pricer.price(product(4096, 4096, 130)), pricer.price(product(4096, 4096, 256)))
    #expect(some.time < more.time)
  }
}
