import EventKernel
import ModelGraph
import TestSupport
import Testing

@testable import Execution

@Suite struct StepTableTests {
  static let plans: [(model: String, runtime: String, tensor: Int)] = [
    ("llama-3-8b", "vllm-v1", 1), ("llama-3-8b", "vllm-v1", 2), ("llama-3-8b", "hugging-face", 1),
    ("qwen2.5-0.5b", "hugging-face", 1), ("gpt-oss-20b", "vllm-v1", 1), ("gemma-2-9b", "vllm-v1", 2),
    ("gemma-3-1b", "hugging-face", 1), ("deepseek-v2-lite", "vllm-v1", 1), ("deepseek-v2-lite", "vllm-v1", 2),
    ("deepseek-v3.2", "vllm-v1", 8), ("mixtral-8x7b", "vllm-v1", 2), ("mamba2-2.7b", "vllm-v1", 1),
    ("jamba-mini", "vllm-v1", 2),
    ("xlstm-7b", "vllm-v1", 1), ("falcon-h1-7b", "vllm-v1", 1), ("kimi-linear-48b-a3b", "vllm-v1", 1),
    ("nemotron-super-49b", "vllm-v1", 2),
  ]

  /// Random decodes and chunks, sometimes only one of the two, sometimes no prompt that ends.
  private func step(_ random: inout RandomStream, _ spans: AttentionSpans) -> StepShape {
    var step = StepShape()
    let kinds = random.integer(below: 3)
    if kinds != 0 {
      for _ in 0...random.integer(below: 40) {
        step.decodeSequences += 1
        step.decodeContext += spans.visible(1 + random.integer(below: 6000))
      }
    }
    if kinds != 1 {
      for _ in 0...random.integer(below: 3) {
        step.addPrefill(
          sequences: 1, tokens: 1 + random.integer(below: 500), start: random.integer(below: 3) * 700,
          last: random.integer(below: 2) == 0, spans: spans)
      }
    }
    return step
  }

  @Test(arguments: plans)
  func `the table's cost of any step is what the operators' prices add up to`(
    model: String, runtime: String, tensor: Int
  ) throws {
    let deployment = try Repository.deployment(
      model, on: "hgx-h100", runtime: runtime, Parallelism(tensor: tensor))
    let table = try StepTable(deployment)
    var random = RandomStream(seed: 5, name: model)
    for _ in 0..<12 {
      let step = step(&random, table.spans)
      let price = deployment.price(step)
      let cost = table.exactCost(step)
      #expect(abs(Double(cost.picoseconds) - price.time.value * 1e12) <= 1 + 1e-9 * price.time.value * 1e12, "\(step)")
      #expect(near(cost.energy.value, price.energy.value, within: 1e-8))
      #expect(near(table.cost(step).time.value, price.time.value, within: 5e-4))
      #expect(table.cost(step) == table.cost(step))
    }
  }

  @Test func `a step of prompts alone pays for its own launches and no others`() throws {
    let deployment = try RoundDeployment.make(["launch": "1 ms"]) { $0.graphCapture = false }
    let table = try StepTable(deployment)
    for last in [false, true] {
      let prompts = StepShape.prefill(sequences: 2, tokens: 5, last: last, spans: table.spans)
      var mixed = prompts
      mixed.decodeSequences = 1
      mixed.decodeContext = table.spans.visible(9)
      for step in [prompts, mixed] {
        let nanoseconds = deployment.price(step).time.value * 1e9
        #expect(abs(Double(table.cost(step).picoseconds) / 1000 - nanoseconds) <= 0.5 + 1e-9 * nanoseconds, "\(step)")
      }
    }
  }

  @Test func `pipelines, data parallelism and encoders are refused with a reason`() throws {
    func refusal(_ deployment: Deployment) -> String {
      do {
        _ = try StepTable(deployment)
        return "accepted"
      } catch {
        return "\(error)"
      }
    }
    #expect(
      try refusal(Repository.deployment("llama-3-8b", on: "hgx-h100", Parallelism(pipeline: 2)))
        .hasPrefix("pipeline parallelism cannot be replayed yet"))
    #expect(
      try refusal(Repository.deployment("llama-3-8b", on: "hgx-h100", Parallelism(data: 2)))
        == "one replica is replayed, so --dp must be 1")
    #expect(
      try refusal(Repository.deployment("switch-base-8", on: "h100-sxm")).hasPrefix("switch-base-8 has an encoder"))
  }
}
