import ModelGraph
import Quantities
import TestSupport
import Testing

@Suite struct ParallelismTests {
  private func decode(_ graph: OperatorGraph, _ sequences: Int = 8, _ context: Int = 500) -> [Operator] {
    graph.operators(for: .decode(sequences: sequences, context: context, spans: graph.spans))
  }

  private func collectives(_ list: [Operator], _ kind: CollectiveShape.Kind) -> [(Operator, CollectiveShape)] {
    list.compactMap { work in
      guard case .collective(let shape) = work.kind, shape.kind == kind else { return nil }
      return (work, shape)
    }
  }

  // MARK: Tensor

  @Test(arguments: [2, 4, 8])
  func `tensor parallelism divides products, weights and cache`(tensor: Int) throws {
    let one = decode(try Repository.graph("llama-3-8b"))
    let graph = try Repository.graph("llama-3-8b", Parallelism(tensor: tensor))
    let list = decode(graph)
    #expect(list.products.totalFLOPs == one.products.totalFLOPs / Double(tensor))
    #expect(list.products.totalTraffic.weights == one.products.totalTraffic.weights / Double(tensor))
    #expect(list.totalTraffic.kvRead == one.totalTraffic.kvRead / Double(tensor))
    #expect(list.named("attention_decode").totalFLOPs == one.named("attention_decode").totalFLOPs / Double(tensor))
    #expect(list.named("norm").totalFLOPs == one.named("norm").totalFLOPs)
  }

  @Test func `KV heads are copied when there are more devices than heads`() throws {
    let (eight, sixteen) = (
      try Repository.graph("llama-3-8b", Parallelism(tensor: 8)),
      try Repository.graph("llama-3-8b", Parallelism(tensor: 16))
    )
    #expect(sixteen.footprint.kvPerToken == eight.footprint.kvPerToken)
    #expect(sixteen.footprint.kvPerToken.value == product(32, 1, 2, 128, 2))
    #expect(decode(sixteen).totalTraffic.kvRead == decode(eight).totalTraffic.kvRead)
    // Query, key and value columns of one device: 2 query heads, one KV head.
    let columns = decode(sixteen).named("qkv_proj").map { work -> Int in
      if case .gemm(let shape) = work.kind { shape.columns } else { 0 }
    }
    #expect(columns == [(2 + 1 + 1) * 128])
  }

  @Test func `the latent cache is copied to every device`() throws {
    let (one, eight) = (
      try Repository.graph("deepseek-v2-lite"), try Repository.graph("deepseek-v2-lite", Parallelism(tensor: 8))
    )
    #expect(eight.footprint.kvPerToken == one.footprint.kvPerToken)
    #expect(decode(eight).totalTraffic.kvRead == decode(one).totalTraffic.kvRead)
    #expect(
      decode(eight).named("attention_decode").totalFLOPs == decode(one).named("attention_decode").totalFLOPs / 8)
  }

  @Test(arguments: [("llama-3-8b", 32, 2, 4096), ("gpt-j-6b", 28, 1, 4096), ("falcon-40b", 60, 1, 8192)])
  func `a layer ends in two all-reduces, or one when its halves run side by side`(
    model: String, layers: Int, perLayer: Int, hidden: Int
  ) throws {
    let reductions = collectives(decode(try Repository.graph(model, Parallelism(tensor: 4)), 16), .allReduce)
    // And one for the token table, whose rows are spread.
    #expect(reductions.reduce(0) { $0 + $1.0.count } == layers * perLayer + 1)
    #expect(reductions.allSatisfy { $0.1.ranks == 4 && $0.1.message.value == Double(16 * hidden * 2) })
    let gathers = collectives(decode(try Repository.graph(model, Parallelism(tensor: 4)), 16), .allGather)
    #expect(gathers.count == 1)
    #expect(collectives(decode(try Repository.graph(model)), .allReduce).isEmpty)
  }

  // MARK: Pipeline and experts

  @Test(arguments: [2, 4, 32])
  func `a pipeline of p stages passes the stream on p - 1 times`(stages: Int) throws {
    let graph = try Repository.graph("llama-3-8b", Parallelism(pipeline: stages))
    let hops = collectives(decode(graph, 16), .pointToPoint)
    #expect(hops.map(\.0.count) == [stages - 1])
    #expect(hops.map(\.1.message.value) == [16 * 4096 * 2])
    // The work itself is the same.
    #expect(decode(graph).totalFLOPs == decode(try Repository.graph("llama-3-8b")).totalFLOPs)
  }

  @Test func `expert parallelism spreads whole experts over devices and sends tokens to them`() throws {
    let model = TinyModel.mixture(experts: 16, chosen: 3)
    let formats = Formats(all: .bf16)
    let graph = try OperatorGraph(
      model: model, plan: Plan(formats: formats, parallelism: Parallelism(expert: 8, data: 8)))
    let list = decode(graph, 5)
    // 40 tokens in all visit 3 experts each, an eighth of them here.
    #expect(near(list.named("expert_gate_up").totalFLOPs, product(2, 40 * 3 / 8, 2, 64, 64)))
    var missed = 1.0
    for _ in 0..<40 { missed *= 13.0 / 16 }
    #expect(near(list.named("expert_down").totalTraffic.weights.value, (1 - missed) * product(2, 2, 32, 64, 2)))
    let exchanges = collectives(list, .allToAll)
    #expect(exchanges.map(\.0.name) == ["dispatch", "combine"])
    #expect(exchanges.allSatisfy { $0.0.count == 2 && $0.1.ranks == 8 && $0.1.message.value == 5 * 3 * 64 * 2 })
    let one = try OperatorGraph(model: model, plan: Plan(formats: formats)).footprint.weights.value
    // 14 of 16 experts of each layer are elsewhere.
    let experts = product(2, 14, 3, 64, 32, 2)
    #expect(near(graph.footprint.weights.value, one - experts))
  }

  @Test func `experts are split like other matrices without expert parallelism`() throws {
    let (one, two) = (
      decode(try Repository.graph("mixtral-8x7b")),
      decode(try Repository.graph("mixtral-8x7b", Parallelism(tensor: 2)))
    )
    for name in ["expert_gate_up", "expert_down"] {
      #expect(near(two.named(name).totalFLOPs, one.named(name).totalFLOPs / 2))
      #expect(near(two.named(name).totalTraffic.weights.value, one.named(name).totalTraffic.weights.value / 2))
    }
    // The router is replicated.
    #expect(two.named("router").totalFLOPs == one.named("router").totalFLOPs)
    #expect(collectives(two, .allToAll).isEmpty)
  }

  // MARK: Refusals

  private func refusal(_ model: String, _ parallelism: Parallelism) -> String {
    do {
      _ = try Repository.graph(model, parallelism)
      return "accepted"
    } catch {
      return "\(error)"
    }
  }

  @Test func `degrees that do not divide what they split are refused with those that do`() {
    #expect(
      refusal("llama-3-8b", Parallelism(tensor: 3))
        == "tensor parallelism 3 does not divide the 32 query heads; it may be 1, 2, 4, 8, 16, 32")
    #expect(
      refusal("mixtral-8x7b", Parallelism(expert: 3, data: 3))
        == "expert parallelism 3 does not divide the 8 experts; it may be 1, 2, 4, 8")
    #expect(
      refusal("deepseek-v3", Parallelism(tensor: 256)).hasPrefix(
        "tensor parallelism 256 does not divide the 128 attention heads; it may be 1, 2, 4"))
    #expect(refusal("llama-3-8b", Parallelism(tensor: 32)) == "accepted")
  }

  @Test func `expert parallelism without experts, or that does not divide the devices, is refused`() {
    #expect(
      refusal("llama-3-8b", Parallelism(tensor: 2, expert: 2))
        == "expert parallelism needs a mixture of experts, and llama-3-8b has none")
    #expect(
      refusal("mixtral-8x7b", Parallelism(tensor: 2, expert: 4))
        == "expert parallelism 4 does not divide tensor x data parallelism, which is 2")
    #expect(refusal("mixtral-8x7b", Parallelism(tensor: 2, expert: 4, data: 2)) == "accepted")
  }

  @Test func `a pipeline of more stages than layers is refused`() {
    #expect(
      refusal("llama-3-8b", Parallelism(pipeline: 33))
        == "pipeline parallelism 33 exceeds the 32 layers; it may be 1 to 32")
    #expect(refusal("llama-3-8b", Parallelism(pipeline: 32)) == "accepted")
  }
}
