import Documents
import Execution
import ModelGraph
import Quantities
import Techniques
import TestSupport
import Testing

/// Closed forms behind published figures.
@Suite struct ClosedFormTests {
  private func graph(_ model: Model, _ texts: [String] = []) throws -> OperatorGraph {
    var design = Design(model: model, plan: Plan(formats: Formats(all: .bf16)))
    try Techniques.apply(texts.map(Techniques.parse), to: &design)
    return try OperatorGraph(model: design.model, plan: design.plan)
  }

  private func graph(_ model: String, _ texts: [String] = []) throws -> OperatorGraph {
    try graph(Repository.model(model), texts)
  }

  private func near(_ value: Double, _ expected: Double, _ tolerance: Double = 0.005) -> Bool {
    abs(value / expected - 1) <= tolerance
  }

  @Test func `4-bit weights in groups of 128 take 16 over 4.125 times fewer bytes`() throws {
    let full = try graph("llama-2-7b").operators(
      for: .decode(sequences: 1, context: 1, spans: graph("llama-2-7b").spans))
    let narrow = try graph("llama-2-7b", ["w4a16"])
    let operators = narrow.operators(for: .decode(sequences: 1, context: 1, spans: narrow.spans))
    for (a, b) in zip(full, operators) where a.name == "gate_up_proj" {
      #expect(near((a.traffic.weights / b.traffic.weights), 16 / 4.125, 1e-9))
    }
  }

  // PyramidDrop's table: MACs of the layers without the causal mask, 4nd^2 + 2n^2d + 3ndm.
  @Test(arguments: [(2880, 20.8, 9.46), (5184, 40.6, 18.1), (576, 3.82, 1.78)])
  func `PyramidDrop halves image tokens after every eighth layer`(tokens: Int, full: Double, dropped: Double) throws {
    let model = try Repository.model("llama-2-7b")
    #expect(near(try layerMACs(graph(model), tokens) / 1e12, full))
    let pyramid = try graph(model, ["visual-tokens:tokens=\(tokens),drop=8/0.5 16/0.25 24/0.125"])
    #expect(near(try layerMACs(pyramid, tokens) / 1e12, dropped))
  }

  // FastV's table: MACs of one layer of LLaVA at 612 tokens, 4nd^2 + 2n^2d + 2ndm, the gate left out.
  @Test(arguments: [("llama-2-7b", 99.3, 32), ("llama-2-13b", 154.6, 40)])
  func `FastV counts the MACs of one layer`(name: String, published: Double, layers: Int) throws {
    let model = try Repository.model(name)
    let width = name == "llama-2-7b" ? 11_008 : 13_824
    let all = try layerMACs(graph(model), 612) / Double(layers)
    let gate = 612.0 * Double(model.hidden) * Double(width)
    #expect(near((all - gate) / 1e9, published, 0.01))
  }

  /// Multiply-accumulates of the layers' projections and attention, every query with every key.
  private func layerMACs(_ graph: OperatorGraph, _ tokens: Int) throws -> Double {
    let step = StepShape.prefill(sequences: 1, tokens: tokens, spans: graph.spans)
    return graph.operators(for: step).reduce(0) { sum, work in
      let work = (work.flops.value * Double(work.count), work.name)
      switch work.1 {
      case "attention_prefill": return sum + work.0 / 2 * 2 * Double(tokens) / Double(tokens + 1)
      case "qkv_proj", "o_proj", "gate_up_proj", "down_proj": return sum + work.0 / 2
      default: return sum
      }
    }
  }

  // (d_kv + d_rope)/(2 d_h), and a quarter of it with INT4.
  @Test(arguments: [(64, 0.6875, 0.9219), (32, 0.8125, 0.9531), (16, 0.875, 0.9687)])
  func `MHA2MLA keeps latents of a quarter to a third of the cache`(latent: Int, bf16: Double, int4: Double) throws {
    let full = try graph("llama-2-7b").footprint.kvPerToken.value
    #expect(full == 524_288)
    let plain = try graph("llama-2-7b", ["latent-kv:latent=\(latent),rope=16"]).footprint.kvPerToken.value
    #expect(near(1 - plain / full, bf16, 1e-9))
    let narrow = try graph("llama-2-7b", ["latent-kv:latent=\(latent),rope=16", "kv-quant:bits=4,group=0"])
    #expect(near(1 - narrow.footprint.kvPerToken.value / full, int4, 1e-4))
  }

  @Test func `LCKV keeps the cache of w + 1 layers`() throws {
    let full = try graph("llama-7b").footprint.kvPerToken.value
    for own in [2, 10] {
      let shared = try graph("llama-7b", ["kv-share:own=\(own)"]).footprint.kvPerToken.value
      #expect(near(shared / full, Double(own + 1) / 32, 1e-9))
    }
  }

  @Test func `LCKV's prompts pass the condensed layers nine times, its answers once`() throws {
    let (once, nine) = (try graph("llama-7b", ["kv-share:own=2"]), try graph("llama-7b", ["kv-share:own=2,passes=9"]))
    func flops(_ graph: OperatorGraph, _ step: StepShape) -> Double {
      graph.operators(for: step).filter { $0.name.hasSuffix("_proj") }
        .reduce(0) { $0 + $1.flops.value * Double($1.count) }
    }
    let prompt = StepShape.prefill(sequences: 1, tokens: 64, spans: once.spans)
    // Two of 32 layers run once. They alone and the condensed one project keys and values, a sixth of a layer's weights.
    let (mixing, network) = (4.0 * 4096 * 4096, 3.0 * 4096 * 11_008)
    let (own, sharing) = (mixing + network, mixing / 2 + network)
    #expect(near(flops(once, prompt), 2 * 64 * (3 * own + 29 * sharing), 1e-9))
    #expect(near(flops(nine, prompt), 2 * 64 * (2 * own + 9 * (own + 29 * sharing)), 1e-9))
    let answer = StepShape.decode(sequences: 3, context: 100, spans: once.spans)
    #expect(near(flops(nine, answer), flops(once, answer), 1e-12))
    #expect(nine.footprint.kvPerToken == once.footprint.kvPerToken)
  }

  @Test func `xLSTM 7B has a state of 134.2 MB`() throws {
    // 32 blocks x 8 heads x 256 x 512 x 4 B, and normalisers besides.
    #expect(near(try graph("xlstm-7b").footprint.statePerSequence.value, 32 * 8 * 256 * 512 * 4, 0.005))
  }

  @Test func `chunked prefill at 32768 of a million tokens saves 96.7 % of the widest activations`() throws {
    let model = try Repository.model("qwen2.5-7b")
    let whole = try graph(model).liveActivations(tokens: 1_000_000, sampled: 0).value
    let sliced = try graph(model, ["sliced-activations:tokens=32768"]).liveActivations(tokens: 1_000_000, sampled: 0)
    // The stream stays: 2 x 3584 elements of 2 bytes.
    let stream = 2 * 3584 * 2 * 1e6
    #expect(near(1 - (sliced.value - stream) / (whole - stream), 1 - 32_768 / 1e6, 1e-9))
  }

  @Test func `retrieval heads keep their share and windows the rest`() throws {
    let kept = try graph("llama-2-7b", ["retrieval-heads:share=0.15,window=4000,extra=1"]).footprint
    let full = try graph("llama-2-7b").footprint
    let context = 100_000
    let share = kept.sequence(tokens: context) / full.sequence(tokens: context)
    #expect(near(share, 0.15 + 0.85 * 4001 / 100_000, 1e-9))
  }

  @Test func `recycled attention reads n/S + K(1 - 1/S) tokens`() throws {
    let graph = try graph("llama-2-7b", ["kv-recycle:tokens=4096,stride=10"])
    let step = StepShape.decode(sequences: 3, context: 50_000, spans: graph.spans)
    let work = try #require(graph.operators(for: step).first { $0.name == "attention_decode" })
    let perToken = 2.0 * 32 * 128 * 2
    #expect(near(work.traffic.kvRead.value, 3 * perToken * (50_000 / 10 + 4096 * 0.9), 1e-9))
  }

  @Test func `a chain of drafts yields the sum of its acceptances`() {
    #expect(near(Drafting.tokens(acceptance: 0.8, decay: 1, depth: 3), 1 + 0.8 + 0.64 + 0.512, 1e-12))
    let drafting = Drafting(source: .free, depth: 3, verified: 3, tokensPerCycle: 2.952)
    #expect(near(drafting.equalAcceptance, 0.8, 1e-6))
  }

  @Test func `attention in INT8 and FP16 with FP16 sums is bound by 440 TOP/s on an RTX 4090`() throws {
    let plain = try Repository.deployment("llama-2-7b", on: "rtx-4090")
    let sage = try Repository.deployment(
      "llama-2-7b", on: "rtx-4090", techniques: ["attention-format:scores=int8,values=fp16,values_accumulator=fp16"])
    let attention = try #require(sage.plan.formats.details.attention)
    #expect(near(sage.pricer.rates.rate(attention).value, 2 / (1 / 660.6e12 + 1 / 330.3e12), 1e-9))
    let step = StepShape.prefill(sequences: 1, tokens: 16_384, spans: plain.graph.spans)
    func time(_ deployment: Deployment) -> Double {
      deployment.pricedOperators(step).first { $0.work.name == "attention_prefill" }?.price.time.value ?? 0
    }
    #expect(time(sage) < 0.6 * time(plain))
  }

  @Test func `neurons of a batch are the union of its tokens'`() {
    let sparse = ActivationSparsity(active: 0.1)
    #expect(near(sparse.union(of: 1), 0.1, 1e-12) && near(sparse.union(of: 2), 0.19, 1e-12))
    #expect(ActivationSparsity(active: 0.1, sharing: .all).union(of: 64) == 0.1)
  }

  @Test func `layers that are skipped run no operators and keep their weights`() throws {
    let full = try graph("llama-2-7b")
    let half = try graph("llama-2-7b", ["layer-skip:attention=0.5,ffn=0.5"])
    let step = StepShape.decode(sequences: 1, context: 100, spans: full.spans)
    func count(_ graph: OperatorGraph) -> Int {
      graph.operators(for: step).filter { $0.name == "down_proj" || $0.name == "o_proj" }.reduce(0) { $0 + $1.count }
    }
    #expect(count(full) == 64 && count(half) == 32)
    #expect(full.footprint.weights == half.footprint.weights)
    #expect(near(half.footprint.kvPerToken / full.footprint.kvPerToken, 0.5, 1e-9))
  }

  @Test func `phases skip alone`() throws {
    let graph = try graph("llama-2-7b", ["layer-skip:ffn=1,phases=decode"])
    let decode = graph.operators(for: .decode(sequences: 4, context: 100, spans: graph.spans))
    let prefill = graph.operators(for: .prefill(sequences: 1, tokens: 64, spans: graph.spans))
    #expect(!decode.contains { $0.name == "down_proj" } && prefill.contains { $0.name == "down_proj" })
  }

  @Test func `samples share the cache of their prompt`() throws {
    let deployment = try Repository.deployment("llama-3-8b", on: "h100-sxm", techniques: ["samples:count=10"])
    let batch = deployment.rewritten(BatchCase(sequences: 2, inputTokens: 1600, outputTokens: 161))
    #expect(batch.sequences == 20 && batch.prompts == 2)
    let ledger = deployment.memoryLedger()
    let whole = ledger.cache(tokens: 1600) * 2 + (ledger.cache(tokens: 1760) - ledger.cache(tokens: 1600)) * 20
    #expect(near((ledger.cache(of: batch) * 20).value, whole.value, 1e-9))
  }

  // MARK: Whole steps

  private func traffic(_ deployment: Deployment, _ step: StepShape) -> Double {
    deployment.price(step).traffic.value
  }

  // R-KV's own step of 150 sequences: three times the cache and once the weights, at 2.039 TB/s. The buffer of 128
  // tokens is half full on average.
  @Test func `R-KV's batch of 150 takes three caches and the weights, 98.6 ms at the A100's bandwidth`() throws {
    let deployment = try Repository.deployment(
      "llama-3.1-8b", on: "a100-sxm-80gb", runtime: "hugging-face", techniques: ["kv-budget:tokens=3136"],
      attention: .flashAttention2)
    let step = StepShape.decode(sequences: 150, context: 8192, spans: deployment.graph.spans)
    let formula = 3 * 150 * 3136 * 131_072.0 + 16.06e9
    #expect(near(formula / 2.039e12, 0.0986, 0.01))
    // The token table is not read, activations are.
    #expect(near(traffic(deployment, step), formula, 0.02))
  }

  // Table 2: four decodes of LLaMA-13B at a context of 1024 on an A6000.
  @Test func `SARATHI's decode step reads 26 GB of weights and 3.4 GB of cache, 49.96 ms at 76 % of 768 GB per second`()
    throws
  {
    let deployment = try Repository.deployment("llama-13b", on: "rtx-a6000", runtime: "orca")
    let step = StepShape.decode(sequences: 4, context: 1024, spans: deployment.graph.spans)
    #expect(near(4 * 1024 * 819_200 / 1e9, 3.4, 0.02))
    #expect(near((26e9 + 3.4e9) / (0.76 * 768e9), 0.04996, 0.01))
    #expect(near(traffic(deployment, step), 29.4e9, 0.02))
    #expect(near(deployment.price(step).time.value, 0.04996, 0.1))
  }

  @Test func `SGLang's 158.3 tokens a second of Llama-3.1-8B are 76 % of an H100's bandwidth`() throws {
    let deployment = try Repository.deployment("llama-3.1-8b", on: "h100-sxm", runtime: "sglang")
    let weights = deployment.memoryLedger().weights.value
    #expect(near(weights * 158.3 / 3.35e12, 0.76, 0.01))
    let step = StepShape.decode(sequences: 1, context: 256, spans: deployment.graph.spans)
    #expect(near(1 / deployment.price(step).time.value, 158.3, 0.1))
  }

  // Table 6: 456 sequences at a context of 2048 in 99.31 ms on four cards.
  @Test func `Pangu Pro MoE serves 1148 tokens a second a card`() throws {
    #expect(near(456 / 0.09931 / 4, 1148, 0.001))
    let deployment = try Repository.deployment(
      "pangu-pro-moe", on: "atlas-800i-a2", runtime: "vllm-v1",
      formats: FormatRequest(weights: .int8, activations: .int8), Parallelism(tensor: 4))
    let step = StepShape.decode(sequences: 456, context: 2048, spans: deployment.graph.spans)
    #expect(near(456 / deployment.price(step).time.value / 4, 1148, 0.1))
  }

  @Test func `a million tokens of Qwen2.5-14B are 5.2e17 FLOP, 732 s at 60 % of eight H20`() throws {
    let graph = try graph("qwen2.5-14b")
    let step = StepShape.prefill(sequences: 1, tokens: 1_000_000, spans: graph.spans)
    let flops = graph.operators(for: step).reduce(0) { $0 + $1.flops.value * Double($1.count) }
    #expect(near(flops, 5.2e17, 0.02))
    #expect(near(5.2e17 / (0.6 * 8 * 148e12), 732, 0.01))
  }

  // EAGLE-3 under SGLang on an H100: 1.81 at 2 sequences to 1.34 at 56, and a loss beyond.
  @Test func `what drafts gain falls with the batch and turns into a loss`() throws {
    let library = try Library(folder: Repository.folder)
    let plain = try library.deployment(request([]))
    let drafted = try library.deployment(request(["draft-head:depth=3,acceptance=0.75"]))
    let gains = [2, 8, 32, 56, 128, 512].map { batch in
      let step = StepShape.decode(sequences: batch, context: 512, spans: plain.graph.spans)
      return plain.tokenCost(step).time / drafted.tokenCost(step).time
    }
    #expect(zip(gains, gains.dropFirst()).allSatisfy { $0 > $1 }, "\(gains)")
    #expect(gains[0] > 1.6 && gains[3] > 1 && gains[5] < 1, "\(gains)")
  }

  private func request(_ techniques: [String]) throws -> Library.Request {
    Library.Request(
      model: "llama-3.1-8b", hardware: "h100-sxm", runtime: "sglang", techniques: try techniques.map(Techniques.parse))
  }

  @Test func `tokens of a batch visit n(1 - (1 - k/n)^B) experts`() throws {
    let graph = try graph("mixtral-8x7b")
    for batch in [1, 4, 16] {
      let step = StepShape.decode(sequences: batch, context: 16, spans: graph.spans)
      let visited = graph.operators(for: step).compactMap { work -> Double? in
        if case .expertGEMM(let shape) = work.kind { shape.activeExperts } else { nil }
      }
      let expected = 8 * (1 - pow(0.75, batch))
      #expect(try near(#require(visited.first), expected, 1e-9))
    }
  }

  private func pow(_ base: Double, _ exponent: Int) -> Double { (0..<exponent).reduce(1) { power, _ in power * base } }
}
