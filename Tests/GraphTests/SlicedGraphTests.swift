import ModelGraph
import Quantities
import TestSupport
import Testing

@Suite struct SlicedGraphTests {
  @Test func `every slice of a prompt reads the feed-forward weights anew, and nothing else`() throws {
    let whole = try Repository.graph("llama-3-8b")
    var plan = whole.plan
    plan.activationSlice = 1000
    let sliced = try OperatorGraph(model: whole.model, plan: plan)
    let step = StepShape.prefill(sequences: 1, tokens: 4500, spans: whole.spans)
    func weights(_ graph: OperatorGraph, _ name: String) -> Double {
      graph.operators(for: step).filter { $0.name == name }.sum { $0.traffic.weights * Double($0.count) }.value
    }
    for name in ["gate_up_proj", "down_proj"] { #expect(near(weights(sliced, name), 5 * weights(whole, name))) }
    #expect(weights(sliced, "o_proj") == weights(whole, "o_proj"))
    #expect(sliced.footprint.weights == whole.footprint.weights)
    let decode = StepShape.decode(sequences: 8, context: 100, spans: whole.spans)
    let (a, b) = (sliced.operators(for: decode).totalTraffic, whole.operators(for: decode).totalTraffic)
    #expect(a.total == b.total)
  }
}
