import ModelGraph
import Quantities
import TestSupport
import Testing

/// What a library runs that fuses nothing, against counts from its modelling code.
@Suite struct LibraryKernelsTests {
  private func graph(_ model: String, _ attention: AttentionKernel, _ unfused: Set<UnfusedPass>) throws -> OperatorGraph
  {
    var plan = Plan(formats: Formats(all: .bf16))
    plan.kernels.attention = attention
    plan.kernels.unfused = unfused
    plan.cacheCopies = 2
    return try OperatorGraph(model: Repository.model(model), plan: plan)
  }

  private func decode(_ graph: OperatorGraph, _ sequences: Int, _ context: Int) -> [Operator] {
    graph.operators(for: .decode(sequences: sequences, context: context, spans: graph.spans))
  }

  private func kernels(_ list: [Operator]) -> Int { list.reduce(0) { $0 + $1.allLaunches } }

  @Test func `a decode step of Llama 3 8B in Transformers starts 1354 kernels`() throws {
    let list = decode(try graph("llama-3-8b", .sdpa, Set(UnfusedPass.allCases)), 1, 512)
    // Two norms, three projections, two rotations, two repeats, attention, two joins, output, two residuals, gate and up,
    // activation and product, down.
    let layer = 2 * 8 + 3 + 2 * 5 + 2 + 1 + 2 + 1 + 2 + 2 + 2 + 1
    // The table, the final norm and the head.
    #expect(kernels(list) == 32 * layer + 1 + 8 + 1)
    #expect(kernels(list) == 1354)
  }

  @Test func `OPT starts half as many a layer: its norm is one kernel, and nothing is rotated or gated`() throws {
    let list = decode(try graph("opt-1.3b", .eager, Set(UnfusedPass.allCases)), 1, 512)
    // Two norms, three projections, two products with four passes of softmax, two joins, output, two residuals, up,
    // activation, down.
    let layer = 2 + 3 + 2 + 4 + 2 + 1 + 2 + 1 + 1 + 1
    #expect(kernels(list) == 24 * layer + 3)
  }

  @Test func `where all is fused every operator is one kernel, and unfused passes leave arithmetic and weights alone`()
    throws
  {
    let fused = decode(try graph("llama-3-8b", .paged, []), 4, 700)
    #expect(fused.allSatisfy { $0.launches == 1 || $0.name == "cache_copy" })
    let apart = decode(try graph("llama-3-8b", .paged, Set(UnfusedPass.allCases)), 4, 700)
    #expect(apart.products.totalFLOPs == fused.products.totalFLOPs)
    #expect(apart.products.totalTraffic.weights == fused.products.totalTraffic.weights)
    #expect(apart.totalTraffic.activations > fused.totalTraffic.activations)
  }

  @Test func `an unfused RMSNorm moves 36 bytes an element, a LayerNorm 4, a residual addition 6`() throws {
    let step = StepShape.prefill(sequences: 1, tokens: 100, spans: try Repository.graph("llama-3-8b").spans)
    let rms = try graph("llama-3-8b", .paged, [.norm, .residual]).operators(for: step)
    #expect(rms.named("norm").first?.traffic.activations.value == product(36, 100, 4096))
    #expect(rms.named("residual").first?.traffic.activations.value == product(6, 100, 4096))
    #expect(rms.named("residual").map(\.count) == [32, 32])
    let layer = try graph("opt-1.3b", .paged, [.norm, .residual]).operators(for: step)
    #expect(layer.named("norm").first?.traffic.activations.value == product(4, 100, 2048))
    #expect(layer.named("norm").first?.launches == 1)
  }

  @Test func `unfused rotation moves 20 bytes an element of queries and keys, a gate 10 an element of its width`()
    throws
  {
    let list = decode(try graph("llama-3-8b", .paged, [.rotary, .activation]), 3, 100)
    #expect(list.named("rotary").first?.traffic.activations.value == product(20, 3, 4096 + 1024))
    #expect(list.named("activation").first?.traffic.activations.value == product(10, 3, 14_336))
  }

  @Test func `eager scores move 24 bytes a pair and head, all pairs of a prompt and not the visible half`() throws {
    let graph = try graph("llama-2-7b", .eager, [.softmax])
    let prompt = graph.operators(for: .prefill(sequences: 2, tokens: 500, spans: graph.spans))
    #expect(prompt.named("attention_prompt_scores").first?.traffic.activations.value == product(24, 32, 2 * 500 * 500))
    #expect(prompt.named("attention_prefill").totalFLOPs == product(32, 4, 32, 128, 2 * 500 * 500))
    let answer = decode(graph, 2, 500)
    #expect(answer.named("attention_scores").first?.traffic.activations.value == product(24, 32, 2 * 500))
    // A softmax in one kernel reads and writes them once; the products write and read them once.
    let fused = decode(try self.graph("llama-2-7b", .eager, []), 2, 500)
    #expect(fused.named("attention_scores").first?.traffic.activations.value == product(8, 32, 2 * 500))
  }

  @Test func `attention without groups reads a copy of the cache for every query head`() throws {
    let (grouped, copied) = (
      decode(try graph("llama-3-8b", .flashAttention2, []), 5, 300), decode(try graph("llama-3-8b", .sdpa, []), 5, 300)
    )
    let cache = product(8, 2, 128, 2, 5 * 300)
    #expect(grouped.named("attention_decode").first?.traffic.kvRead.value == cache)
    #expect(copied.named("attention_decode").first?.traffic.kvRead.value == 4 * cache)
    #expect(copied.named("repeat_heads").first?.traffic.kvRead.value == 5 * cache)
    #expect(grouped.named("repeat_heads").isEmpty)
    // One query head to a KV head needs no copy.
    #expect(decode(try graph("llama-2-7b", .sdpa, []), 5, 300).named("repeat_heads").isEmpty)
  }

  @Test func `experts run one after another where the library does so`() throws {
    let list = decode(try graph("mixtral-8x7b", .paged, [.experts]), 1, 10)
    #expect(list.named("expert_gate_up").first?.launches == 16)
    #expect(list.named("expert_down").first?.launches == 8)
    #expect(list.named("router").first?.launches == 1)
  }
}
