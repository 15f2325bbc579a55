import CostModels
import ModelGraph
import Quantities
import TestSupport
import Testing

@testable import Execution

@Suite struct PriceTests {
  // MARK: Sums

  @Test(arguments: ["llama-3-8b", "deepseek-v2-lite", "jamba-mini"])
  func `a step's price is the sum of its operators' and the host's time`(model: String) throws {
    let deployment = try Repository.deployment(model, on: "hgx-h100", Parallelism(tensor: 2))
    var step = StepShape.decode(sequences: 7, context: 900, spans: deployment.graph.spans)
    step.addPrefill(sequences: 2, tokens: 300, start: 64, last: true, spans: deployment.graph.spans)
    let operators = deployment.pricedOperators(step)
    let price = deployment.price(step)
    let device = operators.reduce(0) { $0 + $1.price.time.value * Double($1.work.count) }
    #expect(near(price.deviceTime.value, device))
    let constants = deployment.pricer.constants
    let launches = Double(operators.reduce(0) { $0 + $1.work.count }) * constants[.launch]
    let host = max(0, launches - device) + constants[.stepOverhead] + 9 * constants[.stepPerSequence]
    #expect(near(price.time.value, device + host))
    let busy = operators.reduce(0) { $0 + $1.price.energy.value * Double($1.work.count) }
    let standing = constants[.powerStatic] * deployment.platform.device.power.cap.value * host
    #expect(near(price.energy.value, 2 * (busy + standing)))
    #expect(near(price.flops.value, operators.map(\.work).totalFLOPs))
    #expect(near(price.traffic.value, operators.map(\.work).totalTraffic.total.value))
    let byBound = Bound.allCases.reduce(0) { $0 + price.timeByBound[$1].value }
    #expect(near(byBound, price.time.value))
  }

  @Test func `launches are paid where no graph is captured, and only beyond the device's time`() throws {
    let constants = ["launch": "1 s", "step_overhead": "5 s", "step_per_sequence": "7 s"]
    let step: (Deployment) -> StepShape = { .decode(sequences: 3, context: 10, spans: $0.graph.spans) }
    let captured = try RoundDeployment.make(constants) { $0.graphCapture = true }
    #expect(near(captured.price(step(captured)).time.value, 5 + 21, within: 1e-3))
    let eager = try RoundDeployment.make(constants) { $0.graphCapture = false }
    // A layer: 2 norms, 4 projections, rotary, attention, activation; besides: tokens, final norm, head.
    #expect(near(eager.price(step(eager)).time.value, 2 * 9 + 3 + 5 + 21, within: 1e-9))
    // A step with prompts is not captured.
    let prompt = StepShape.prefill(sequences: 1, tokens: 4, spans: captured.graph.spans)
    #expect(near(captured.price(prompt).time.value, 2 * 9 + 3 + 5 + 7, within: 1e-9))
  }

  // MARK: A step by hand

  /// Llama 3 8B on one H100, 16 sequences of 1536 tokens, from the numbers of its configuration alone.
  @Test func `a worked decode step by hand`() throws {
    let (hidden, layers, vocabulary, wide) = (4096.0, 32.0, 128_256.0, 14_336.0)
    let (heads, kvHeads, headWidth) = (32.0, 8.0, 128.0)
    let (batch, context) = (16.0, 1536.0)

    let attentionWeights = hidden * (heads + 2 * kvHeads) * headWidth + heads * headWidth * hidden
    let layerWeights = attentionWeights + 3 * hidden * wide
    let multiplied = layers * layerWeights + vocabulary * hidden
    let norms = (2 * layers + 1) * hidden
    let weightBytes = 2 * (multiplied + norms)
    #expect(near(weightBytes, 15.0e9, within: 1e-3))

    let kvBytesPerToken = layers * kvHeads * 2 * headWidth * 2
    #expect(kvBytesPerToken == 131_072)
    let kvBytes = batch * context * kvBytesPerToken
    #expect(near(kvBytes, 3.22e9, within: 1e-3))

    let attentionFLOPs = 4 * batch * context * heads * headWidth * layers
    let flops = 2 * batch * multiplied + attentionFLOPs
    #expect(near(flops, 253e9, within: 1e-3))

    // Elements that a layer reads and writes for a token: 2 norms of 4 rows; into and out of qkv, rotary, attention,
    // o, gate and up, activation, down.
    let qkv = (heads + 2 * kvHeads) * headWidth
    let rotated = 2 * (heads + kvHeads) * headWidth
    let perLayer =
      8 * hidden + (hidden + qkv) + rotated + 2 * hidden + 2 * hidden + (hidden + 2 * wide) + 3 * wide
      + (wide + hidden)
    let ends = hidden + 4 * hidden + hidden + vocabulary
    let activationBytes = 2 * batch * (layers * perLayer + ends)
    let embeddingBytes = 2 * batch * hidden
    let written = batch * kvBytesPerToken
    let traffic = weightBytes + kvBytes + activationBytes + embeddingBytes + written

    let deployment = try Repository.deployment("llama-3-8b", on: "h100-sxm")
    let step = StepShape.decode(sequences: 16, context: 1536, spans: deployment.graph.spans)
    let price = deployment.price(step)
    #expect(near(price.traffic.value, traffic, within: 1e-12))
    // Norms, rotary and activations add a little arithmetic.
    #expect(price.flops.value >= flops && price.flops.value < 1.001 * flops)

    let memoryTime = traffic / 3.35e12
    #expect(near(memoryTime, 5.49e-3, within: 2e-3))
    #expect(near(flops / 989.4e12, 0.256e-3, within: 2e-3))
    // Memory bounds it, and what is calibrated only adds to it.
    #expect(price.timeByBound.largest == .memory)
    #expect(price.deviceTime.value > memoryTime && price.deviceTime.value < 1.6 * memoryTime)
  }

  // MARK: Monotonicity

  @Test(arguments: ["llama-3-8b", "gpt-oss-20b", "deepseek-v2-lite", "mamba2-2.7b"])
  func `time and energy never fall when a decode batch or its context grows`(model: String) throws {
    let deployment = try Repository.deployment(model, on: "h100-sxm")
    func price(_ sequences: Int, _ context: Int) -> StepPrice {
      deployment.price(.decode(sequences: sequences, context: context, spans: deployment.graph.spans))
    }
    let sizes = [1, 2, 3, 8, 16, 17, 64, 65, 128, 129, 256, 257, 500]
    for (fewer, more) in zip(sizes, sizes.dropFirst()) {
      #expect(price(fewer, 1000).time <= price(more, 1000).time, "\(fewer) to \(more)")
      #expect(price(fewer, 1000).energy <= price(more, 1000).energy, "\(fewer) to \(more)")
      #expect(price(8, fewer * 16).time <= price(8, more * 16).time, "context \(fewer * 16) to \(more * 16)")
    }
  }

  @Test(arguments: ["llama-3-8b", "gemma-2-2b", "deepseek-v2-lite"])
  func `time never falls when a prompt grows by a token`(model: String) throws {
    let deployment = try Repository.deployment(model, on: "h100-sxm")
    func time(_ tokens: Int) -> Seconds {
      deployment.price(.prefill(sequences: 1, tokens: tokens, spans: deployment.graph.spans)).time
    }
    for edge in [1, 2, 15, 16, 17, 64, 128, 129, 256, 384, 1024, 2048] {
      #expect(time(edge) <= time(edge + 1), "\(edge) to \(edge + 1)")
    }
  }
}

extension RoundDeployment {
  static func make(
    _ constants: [String: String], runtime change: (inout RuntimeProfile) -> Void
  ) throws -> Deployment {
    try make(TinyModel.dense(), on: RoundDevice(), constants, Parallelism(), runtime: change)
  }
}
