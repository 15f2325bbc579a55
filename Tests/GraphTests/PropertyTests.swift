import EventKernel
import ModelGraph
import Quantities
import TestSupport
import Testing

/// What holds for every shipped model and every step.
@Suite struct PropertyTests {
  private func decode(_ graph: OperatorGraph, _ sequences: Int, _ context: Int) -> [Operator] {
    var step = StepShape.decode(sequences: sequences, context: context, spans: graph.spans)
    if graph.model.encoder != nil { step.crossKeys = Double(sequences * context) }
    return graph.operators(for: step)
  }

  private func prefill(_ graph: OperatorGraph, _ sequences: Int, _ tokens: Int) -> [Operator] {
    guard graph.model.encoder != nil else {
      return graph.operators(for: .prefill(sequences: sequences, tokens: tokens, spans: graph.spans))
    }
    var step = StepShape.prefill(sequences: sequences, tokens: 1, spans: graph.spans)
    step.encoderTokens = sequences * tokens
    step.encoderSequences = sequences
    step.encoderPairs = Double(sequences * tokens * tokens)
    step.crossKeys = Double(sequences * tokens)
    return graph.operators(for: step)
  }

  private func expectSound(_ list: [Operator], _ comment: Comment) {
    #expect(list.totalFLOPs.isFinite && list.totalFLOPs > 0, comment)
    for work in list {
      let parts = [
        work.traffic.weights, work.traffic.activations, work.traffic.kvRead, work.traffic.kvWritten,
        work.traffic.state,
      ]
      #expect(work.count > 0, comment)
      #expect(work.flops.value.isFinite && work.flops >= .zero, comment)
      #expect(parts.allSatisfy { $0.value.isFinite && $0 >= .zero }, comment)
      if case .collective = work.kind { continue }
      #expect(work.traffic.total > .zero, comment)
    }
  }

  @Test(arguments: Repository.modelNames)
  func `every shipped model decodes and prefills with finite work`(name: String) throws {
    let graph = try Repository.graph(name)
    expectSound(decode(graph, 3, 777), "\(name) decode")
    expectSound(prefill(graph, 2, 333), "\(name) prefill")
    let footprint = graph.footprint
    #expect(footprint.weights.value.isFinite && footprint.weights > .zero)
    #expect(footprint.sequence(tokens: 100) > .zero)
    #expect(graph.liveActivations(tokens: 100, sampled: 10) > .zero)
  }

  /// Every weight but the token table's is read once a step. Convolutions, biases and small vectors, which take no
  /// operator of their own, are the difference.
  @Test(arguments: Repository.modelNames)
  func `a decode step reads the weights that memory holds`(name: String) throws {
    let graph = try Repository.graph(name)
    let model = graph.model
    guard model.encoder == nil, model.expertCount == nil else { return }
    let table = model.embedding.tied ? 0 : Double(model.embeddingParameters)
    let positions = model.embedding.tied ? Double(model.embedding.learnedPositions * model.hidden) : 0
    let held = graph.footprint.weights.value - 2 * (table + positions)
    let read = decode(graph, 256, 10).filter { $0.name != "embed_tokens" }.totalTraffic.weights.value
    #expect(abs(read / held - 1) <= 0.03, "\(name): \((read / held - 1) * 100) %")
  }

  /// A mixture's experts, all of them, are read by a large batch.
  @Test(arguments: ["mixtral-8x7b", "deepseek-v2-lite", "gpt-oss-20b", "qwen3-30b-a3b", "olmoe-1b-7b"])
  func `a large batch reads every expert`(name: String) throws {
    let graph = try Repository.graph(name)
    let table = graph.model.embedding.tied ? 0 : Double(graph.model.embeddingParameters)
    let read = decode(graph, 8192, 10).filter { $0.name != "embed_tokens" }.totalTraffic.weights.value
    #expect(abs(read / (graph.footprint.weights.value - 2 * table) - 1) <= 0.03)
  }

  @Test func `work and memory grow with batch, context and tokens`() throws {
    var random = RandomStream(seed: 3, name: "steps")
    let names = Repository.modelNames
    for _ in 0..<60 {
      let name = names[random.integer(below: names.count)]
      let graph = try Repository.graph(name)
      let (batch, context) = (1 + random.integer(below: 300), 1 + random.integer(below: 9000))
      let (moreBatch, moreContext) = (batch + 1 + random.integer(below: 50), context + 1 + random.integer(below: 2000))
      let base = decode(graph, batch, context)
      let wide = decode(graph, moreBatch, context)
      let long = decode(graph, batch, moreContext)
      #expect(wide.totalFLOPs > base.totalFLOPs, "\(name) \(batch) \(context)")
      #expect(wide.totalTraffic.total > base.totalTraffic.total, "\(name) \(batch) \(context)")
      #expect(long.totalFLOPs >= base.totalFLOPs, "\(name) \(batch) \(context)")
      #expect(long.totalTraffic.total >= base.totalTraffic.total, "\(name) \(batch) \(context)")
      let prompt = prefill(graph, 1, context)
      let longer = prefill(graph, 1, moreContext)
      #expect(longer.totalFLOPs > prompt.totalFLOPs, "\(name) \(context)")
      #expect(longer.totalTraffic.total > prompt.totalTraffic.total, "\(name) \(context)")
      let footprint = graph.footprint
      #expect(footprint.sequence(tokens: moreContext) >= footprint.sequence(tokens: context), "\(name)")
    }
  }

  @Test func `work and weights grow with layers`() throws {
    let formats = Formats(all: .bf16)
    let graphs = try [1, 2, 5, 9].map { layers in
      try OperatorGraph(model: TinyModel.dense(layers: layers, windows: [nil, 8]), plan: Plan(formats: formats))
    }
    for (fewer, more) in zip(graphs, graphs.dropFirst()) {
      #expect(decode(more, 4, 50).totalFLOPs > decode(fewer, 4, 50).totalFLOPs)
      #expect(prefill(more, 2, 50).totalTraffic.total > prefill(fewer, 2, 50).totalTraffic.total)
      #expect(more.footprint.weights > fewer.footprint.weights)
      #expect(more.footprint.sequence(tokens: 50) > fewer.footprint.sequence(tokens: 50))
    }
  }

  @Test func `a mixed step does the work of its parts and reads the weights once`() throws {
    for name in ["llama-3-8b", "gemma-2-9b", "deepseek-v2-lite", "jamba-mini"] {
      let graph = try Repository.graph(name)
      let decodes = StepShape.decode(sequences: 9, context: 800, spans: graph.spans)
      var mixed = decodes
      mixed.addPrefill(sequences: 1, tokens: 200, start: 100, last: true, spans: graph.spans)
      let both = graph.operators(for: mixed)
      let apart = [
        graph.operators(for: decodes),
        graph.operators(for: .prefill(sequences: 1, tokens: 200, start: 100, spans: graph.spans)),
      ]
      #expect(near(both.totalFLOPs, apart[0].totalFLOPs + apart[1].totalFLOPs), "\(name)")
      let kv = apart.map(\.totalTraffic)
      #expect(both.totalTraffic.kvRead == kv[0].kvRead + kv[1].kvRead, "\(name)")
      #expect(both.totalTraffic.kvWritten == kv[0].kvWritten + kv[1].kvWritten, "\(name)")
      #expect(both.totalTraffic.weights < kv[0].weights + kv[1].weights, "\(name)")
    }
  }
}
