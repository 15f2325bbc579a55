import CostModels
import ModelGraph
import Quantities
import TestSupport
import Testing

@testable import Execution

@Suite struct PredictorTests {
  private func predict(
    _ deployment: Deployment, _ sequences: Int, _ input: Int, _ output: Int,
    _ overflow: Predictor.Overflow = .refuse
  ) throws -> Prediction {
    try Predictor(deployment).predict(
      BatchCase(sequences: sequences, inputTokens: input, outputTokens: output), overflow: overflow)
  }

  // MARK: Against every step

  /// The mean decode step, by pricing every one.
  private func meanStep(_ deployment: Deployment, _ sequences: Int, _ input: Int, _ output: Int) -> Double {
    let contexts = input + 1...input + output - 1
    return contexts.reduce(0) { sum, context in
      let step = StepShape.decode(sequences: sequences, context: context, spans: deployment.graph.spans)
      return sum + deployment.price(step).time.value
    } / Double(contexts.count)
  }

  @Test(arguments: [
    ("llama-3-8b", 64, 10, 1500), ("llama-3-8b", 8, 4000, 5), ("llama-3-8b", 256, 1, 6),
    ("mistral-7b", 32, 3000, 3000), ("mistral-7b", 32, 4000, 200), ("gpt-oss-20b", 64, 1, 400),
    ("gemma-2-2b", 16, 3900, 400), ("deepseek-v2-lite", 16, 100, 300), ("mamba2-2.7b", 4, 10, 100),
  ])
  func `the mean decode step is what every step on its own comes to`(
    model: String, sequences: Int, input: Int, output: Int
  ) throws {
    let deployment = try Repository.deployment(model, on: "h100-sxm")
    let tpot = try #require(predict(deployment, sequences, input, output, .waves).tpot).value
    let exact = meanStep(deployment, sequences, input, output)
    #expect(near(tpot, exact, within: 1e-3), "\(tpot / exact - 1)")
  }

  @Test(arguments: [
    ("llama-3.1-8b", 16_384), ("llama-3.1-8b", 32_768), ("llama-3.1-8b", 33_000), ("llama-3.1-8b", 100_000),
    ("llama-3.1-8b", 122_880), ("mistral-7b", 32_768), ("gpt-oss-20b", 81_920),
  ])
  func `a prompt in chunks takes as long as every chunk on its own`(model: String, input: Int) throws {
    let deployment = try Repository.deployment(model, on: "h100-sxm")
    let spans = deployment.graph.spans
    let exact = stride(from: 0, to: input, by: 8192).reduce(0.0) { sum, start in
      let tokens = min(8192, input - start)
      let step = StepShape.prefill(
        sequences: 1, tokens: tokens, start: start, last: start + tokens == input, spans: spans)
      return sum + deployment.price(step).time.value
    }
    let ttft = try predict(deployment, 1, input, 1).ttft.value
    #expect(near(ttft, exact, within: 5e-3), "\(ttft / exact - 1)")
  }

  @Test func `the last chunk of a prompt needs logits, also when chunks divide the prompt evenly`() throws {
    // Only the head costs anything: its 1 s of launches.
    for (input, chunks) in [(64, 2), (65, 3), (33, 2), (960, 30)] {
      let deployment = try RoundDeployment.make(["launch": "1 s"]) { runtime in
        runtime.maxBatchedTokens = 32
        runtime.maxSequences = 32
      }
      let ttft = try predict(deployment, 1, input, 1).ttft.value
      // Every chunk launches 18 operators in layers and 2 besides; the last one the head as well.
      #expect(near(ttft, Double(20 * chunks + 1), within: 1e-6), "\(input)")
    }
  }

  // MARK: The rule

  @Test func `the rule sums cubics over whole numbers exactly`() {
    for (first, count) in [(0, 1), (3, 5), (0, 6), (-2, 7), (1, 8), (5, 9), (100, 999), (7, 1000), (1, 65_536)] {
      let points = GaussRule.points(from: first, through: first + count - 1)
      #expect(points.count <= 5)
      #expect(points.allSatisfy { (first..<first + count).contains($0.0) && $0.1 > 0 })
      // Powers of the distance from the first number, so that sums stay exact.
      for power in 0...3 {
        func term(_ x: Int) -> Double { (0..<power).reduce(1) { product, _ in product * Double(x - first) } }
        let exact = (first..<first + count).reduce(0) { $0 + term($1) }
        let found = points.reduce(0) { $0 + $1.1 * term($1.0) }
        #expect(abs(found - exact) <= 1e-9 * max(1, exact), "\(count) numbers, power \(power)")
      }
    }
  }

  @Test func `the rule takes every number once when there are few, and none when there are none`() {
    #expect(GaussRule.points(from: 4, through: 8).map(\.0) == [4, 5, 6, 7, 8])
    #expect(GaussRule.points(from: 4, through: 3).isEmpty)
  }

  @Test func `the rule is exact on both sides of a kink`() {
    func bent(_ x: Int) -> Double { Double(min(x, 300)) }
    for range in [1...1000, 1...300, 301...900, 299...302] {
      let points = GaussRule.points(from: range.lowerBound, through: range.upperBound, kinks: [300])
      let found = points.reduce(0) { $0 + $1.1 * bent($1.0) }
      #expect(near(found, range.reduce(0) { $0 + bent($1) }))
    }
  }

  // MARK: Identities

  @Test(arguments: [("llama-3-8b", 1, 1), ("gemma-2-2b", 1, 1), ("t5-large", 1, 1), ("llama-3-8b", 2, 2)])
  func `the whole time is the first token's and the mean step for each later one`(
    model: String, tensor: Int, pipeline: Int
  ) throws {
    let deployment = try Repository.deployment(
      model, on: "hgx-h100", Parallelism(tensor: tensor, pipeline: pipeline))
    let prediction = try predict(deployment, 6, 300, 41)
    let tpot = try #require(prediction.tpot)
    #expect(near(prediction.endToEnd.value, prediction.ttft.value + 40 * tpot.value))
    #expect(near(prediction.outputRate, 6 * 41 / prediction.endToEnd.value))
    #expect(near(prediction.totalRate, 6 * 341 / prediction.endToEnd.value))
    #expect(prediction.waves == 1)
    let devices = Double(deployment.parallelism.devices)
    let cap = deployment.platform.device.power.cap.value
    #expect(prediction.power.value <= cap * devices * (1 + 1e-12))
    #expect(prediction.power.value >= deployment.pricer.constants[.powerStatic] * cap * devices * (1 - 1e-9))
    let single = try predict(deployment, 6, 300, 1)
    #expect(single.tpot == nil && single.decodeBound == nil)
    #expect(single.endToEnd == single.ttft && near(single.ttft.value, prediction.ttft.value))
  }

  @Test func `data parallel copies share the batch and take as long as one with its share`() throws {
    let one = try Repository.deployment("llama-3-8b", on: "hgx-h100")
    let four = try Repository.deployment("llama-3-8b", on: "hgx-h100", Parallelism(data: 4))
    let alone = try predict(one, 5, 200, 20)
    let shared = try predict(four, 20, 200, 20)
    #expect(near(shared.endToEnd.value, alone.endToEnd.value))
    #expect(near(shared.energy.value, 4 * alone.energy.value))
    #expect(near(shared.outputRate, 4 * alone.outputRate))
    #expect(try predict(four, 17, 200, 20).endToEnd == shared.endToEnd)
  }

  @Test func `a batch beyond the cache is refused with what would fit, or served in waves`() throws {
    let deployment = try Repository.deployment("llama-3-8b", on: "h100-sxm")
    let ledger = deployment.memoryLedger()
    let fitting = ledger.largestBatch(tokens: 8099)
    #expect(fitting > 10)
    #expect(try predict(deployment, fitting, 8000, 100).waves == 1)
    let refusal = refusal(deployment, BatchCase(sequences: fitting + 1, inputTokens: 8000, outputTokens: 100))
    guard case .cacheDoesNotFit(_, let missing, let largest, let longest) = refusal else {
      Issue.record("one sequence more: \(String(describing: refusal))")
      return
    }
    #expect(largest == fitting)
    #expect(missing > .zero && missing <= ledger.cache(tokens: 8099))
    #expect(try #require(longest) < 8099)
    let full = try predict(deployment, fitting, 8000, 100)
    let rest = try predict(deployment, 3, 8000, 100)
    let waves = try predict(deployment, 2 * fitting + 3, 8000, 100, .waves)
    #expect(waves.waves == 3)
    #expect(near(waves.endToEnd.value, 2 * full.endToEnd.value + rest.endToEnd.value))
    #expect(near(waves.energy.value, 2 * full.energy.value + rest.energy.value))
    #expect(waves.ttft == full.ttft)
  }

  @Test(arguments: [(8, 4, 2, 4), (7, 4, 2, 4), (2, 4, 1, 2), (9, 4, 3, 3), (1, 4, 1, 1)])
  func `a pipeline works on as many micro-batches as it has stages`(
    sequences: Int, stages: Int, size: Int, count: Int
  ) throws {
    let deployment = try Repository.deployment("llama-3-8b", on: "hgx-h100", Parallelism(pipeline: stages))
    let prediction = try predict(deployment, sequences, 500, 2)
    let spans = deployment.graph.spans
    let prefill = deployment.price(.prefill(sequences: size, tokens: 500, spans: spans))
    #expect(near(prediction.ttft.value, prefill.time.value + Double(count - 1) * prefill.bottleneck.value))
    let decode = deployment.price(.decode(sequences: size, context: 501, spans: spans))
    let period = max(decode.time.value, Double(count) * decode.bottleneck.value)
    #expect(near(try #require(prediction.tpot).value, period))
  }

  @Test func `the slowest of four stages has a quarter of the layers, and the head or the host's time`() throws {
    let deployment = try Repository.deployment("llama-3-8b", on: "hgx-h100", Parallelism(pipeline: 4))
    let step = StepShape.decode(sequences: 8, context: 100, spans: deployment.graph.spans)
    let head = deployment.pricedOperators(step).first { $0.work.name == "lm_head" }
    let headTime = try #require(head).totalTime.value
    let price = deployment.price(step)
    let host = price.time.value - price.deviceTime.value
    #expect(near(price.bottleneck.value, (price.deviceTime.value - headTime) / 4 + max(headTime, host)))
  }
}
