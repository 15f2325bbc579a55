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

  /// The error that the serving engine's reports state.
  @Test(arguments: ["llama-3-8b", "qwen2.5-0.5b", "deepseek-v3", "mixtral-8x7b"])
  func `decode steps by the curves are within 5 parts in 10,000 of their price`(model: String) throws {
    let tensor = model == "deepseek-v3" ? 8 : 2
    let deployment = try Repository.deployment(
      model, on: "hgx-h200", runtime: "vllm-v1", Parallelism(tensor: tensor))
    let table = try StepTable(deployment)
    try #require(table.hasCurves)
    var random = RandomStream(seed: 6, name: model)
    var worst = 0.0
    for _ in 0..<400 {
      let sequences = 1 << random.integer(below: 9)
      let context = 1 + (1 << random.integer(below: 15)) + random.integer(below: 500)
      let step = StepShape.decode(sequences: sequences, context: context, spans: table.spans)
      let exact = table.exactCost(step).time.value
      worst = max(worst, abs(table.cost(step).time.value / exact - 1))
    }
    #expect(worst < 5e-4, "\(worst)")
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

  /// What a step takes through a pipeline, from the whole depth and from its parts.
  @Test(arguments: [(2, "llama-3-8b"), (4, "llama-3-8b"), (3, "mixtral-8x7b"), (5, "gemma-3-27b")])
  func `stages and the hops between them take what the whole step does`(stages: Int, model: String) throws {
    let deployment = try Repository.deployment(model, on: "hgx-h100", Parallelism(pipeline: stages))
    let table = try StepTable(deployment)
    let staged = try #require(StagedCosts(deployment))
    var random = RandomStream(seed: 7, name: model)
    for _ in 0..<12 {
      let step = step(&random, table.spans)
      let hop = staged.hop(step)
      var costs: [StepTable.Cost] = []
      staged.price(step, into: &costs)
      #expect(costs.count == stages && hop.picoseconds > 0)
      let sum = costs.reduce(Double(hop.picoseconds) * Double(stages - 1)) { $0 + Double($1.picoseconds) }
      let whole = deployment.price(step).time.value * 1e12
      #expect(abs(sum - whole) <= 1e-3 * whole, "\(step)")
      #expect(near(table.cost(step).time.value, whole / 1e12, within: 5e-4))
    }
  }

  @Test func `layers left over go to the stages before the last`() {
    let five = Parallelism(pipeline: 5)
    #expect(five.stages(of: 48) == [0..<9, 9..<19, 19..<29, 29..<39, 39..<48])
    #expect(five.stages(of: 10).allSatisfy { $0.count == 2 })
    #expect(Parallelism().stages(of: 7) == [0..<7])
  }

  @Test func `ranks with stages, data parallelism and encoders are refused with a reason`() throws {
    func refusal(_ deployment: Deployment, perRank: Bool = false) -> String {
      do {
        _ = try StepTable(deployment, perRank: perRank)
        return "accepted"
      } catch {
        return "\(error)"
      }
    }
    #expect(
      try refusal(Repository.deployment("llama-3-8b", on: "hgx-h100", Parallelism(pipeline: 2)), perRank: true)
        .hasPrefix("pipeline stages and data parallelism cannot be replayed together"))
    #expect(
      try refusal(Repository.deployment("llama-3-8b", on: "hgx-h100", Parallelism(data: 2)))
        == "one replica is replayed, so --dp must be 1")
    #expect(
      try refusal(Repository.deployment("switch-base-8", on: "h100-sxm")).hasPrefix("switch-base-8 has an encoder"))
  }
}
