import CostModels
import Execution
import ModelGraph
import Quantities
import TestSupport
import Testing

/// What several devices cost together: waiting stages, idle replicas, messages between nodes, copied weights.
@Suite struct ParallelCostTests {
  private func predict(
    _ model: String, on hardware: String, _ parallelism: Parallelism, sequences: Int, input: Int = 1024
  ) throws -> Prediction {
    let deployment = try Repository.deployment(model, on: hardware, parallelism)
    return try Predictor(deployment).predict(
      BatchCase(sequences: sequences, inputTokens: input, outputTokens: 64))
  }

  @Test func `replicas without a sequence idle, and do not draw what a busy one draws`() throws {
    let alone = try predict("llama-3-8b", on: "hgx-h100", Parallelism(), sequences: 1)
    let eight = try predict("llama-3-8b", on: "hgx-h100", Parallelism(data: 8), sequences: 1)
    let idle = try Repository.device("h100-sxm").power.idle * 7.0
    #expect(abs(eight.power / (alone.power + idle) - 1) < 1e-9)
    let nine = try predict("llama-3-8b", on: "hgx-h100", Parallelism(data: 8), sequences: 9)
    let sixteen = try predict("llama-3-8b", on: "hgx-h100", Parallelism(data: 8), sequences: 16)
    #expect(nine.energy < sixteen.energy)
  }

  @Test func `waiting pipeline stages add to the work of the busy one`() throws {
    let deployment = try Repository.deployment("llama-3-70b", on: "hgx-h100", Parallelism(pipeline: 8))
    let price = deployment.price(.decode(sequences: 1, context: 1000, spans: deployment.graph.spans))
    let standing = deployment.pricer.constants[.powerStatic] * deployment.platform.device.power.cap
    let prediction = try Predictor(deployment).predict(
      BatchCase(sequences: 1, inputTokens: 1000, outputTokens: 2))
    let decode = prediction.endToEnd - prediction.ttft
    #expect(price.energy > standing * decode)
    #expect(prediction.energy > standing * 8.0 * prediction.endToEnd + (price.energy - standing * price.time) * 0.9)
  }

  @Test func `a pipeline fills once, not for every chunk of a prompt`() throws {
    // Eight stages share the work of one device; filling costs seven more steps than the forty there are.
    let alone = try predict("llama-3.1-8b", on: "hgx-h100", Parallelism(), sequences: 8, input: 40_960)
    let eight = try predict("llama-3.1-8b", on: "hgx-h100", Parallelism(pipeline: 8), sequences: 8, input: 40_960)
    #expect(eight.ttft > alone.ttft / 8 && eight.ttft < alone.ttft / 8 * 1.35)
  }

  @Test func `all ranks of a node share its links to other nodes`() throws {
    let deployment = try Repository.deployment(
      "deepseek-v3", on: "dgx-h100-superpod-4", Parallelism(tensor: 8, expert: 32, data: 4))
    let step = StepShape.prefill(sequences: 8, tokens: 1024, spans: deployment.graph.spans)
    let dispatch = try #require(deployment.pricedOperators(step).first { $0.work.name == "dispatch" })
    guard case .collective(let shape) = dispatch.work.kind else { return }
    let far = try #require(deployment.platform.nodePath)
    #expect(dispatch.price.time >= shape.message * (8.0 * 24 / 32) / far.bandwidth)
  }

  @Test func `hops between stages on different nodes take the slower link`() throws {
    func hop(_ hardware: String) throws -> Seconds {
      let deployment = try Repository.deployment("llama-3-70b", on: hardware, Parallelism(tensor: 8, pipeline: 4))
      let step = StepShape.prefill(sequences: 8, tokens: 1024, spans: deployment.graph.spans)
      return try #require(deployment.pricedOperators(step).first { $0.work.name == "stage_hop" }).price.time
    }
    #expect(try hop("dgx-h100-superpod-4") > hop("gb200-nvl72"))
  }

  @Test func `latent down-projections and routers are whole on every device`() throws {
    func weights(_ tensor: Int) throws -> Double {
      try Repository.graph("deepseek-v3", Parallelism(tensor: tensor)).footprint.weights.value
    }
    // 61 layers x 7168 x (1536 + 512 + 64), and 58 routers of 7168 x 256, in bf16.
    let copied = 2.0 * (61 * 7168 * 2112 + 58 * 7168 * 256)
    #expect(abs((try weights(8) * 8 - weights(1)) / (7 * copied) - 1) < 1e-9)
  }

  @Test func `heads copied because there are fewer than devices weigh as much as one head each`() throws {
    func weights(_ tensor: Int) throws -> Double {
      try Repository.graph("llama-3-70b", Parallelism(tensor: tensor)).footprint.weights.value
    }
    #expect(abs(try weights(8) * 8 - weights(1)) < 1)
    let head = 2.0 * 80 * 8192 * 256
    #expect(abs((try weights(16) * 16 - weights(1)) / (8 * head) - 1) < 1e-9)
  }
}
