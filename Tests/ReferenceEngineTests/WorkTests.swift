import ModelGraph
import Quantities
import Testing

@testable import ReferenceEngine

/// What the engine counts while it runs, against what ``OperatorGraph`` says beforehand.
@Suite struct WorkTests {
  private static let cases = ["llama", "mixtral"].flatMap { type in
    [WeightFormat.f32, .bf16, .q8Zero, .q4One].map { (type, $0) }
  }

  @Test(arguments: cases)
  func `operators, FLOPs, weights and cache traffic are those of the operator graph`(
    type: String, format: WeightFormat
  ) throws {
    let model = try RandomModel.make(
      InvarianceTests.configuration.replacing("MODEL", with: type), .init(projections: format, tables: format))
    let engine = Engine(model, cacheBlocks: 32, pool: try WorkerPool())
    let (old, young) = (CachedSequence(), CachedSequence())
    _ = try engine.step([Engine.Chunk(old, tokens: Array(repeating: 3, count: 20), wantsLogits: false)])
    engine.meter.reset()
    _ = try engine.step([
      Engine.Chunk(old, tokens: [1]), Engine.Chunk(young, tokens: Array(repeating: 5, count: 40)),
    ])
    let graph = try OperatorGraph(model: model.shape.model, plan: Plan(formats: model.formats, routing: .uniform))
    var step = StepShape.decode(sequences: 1, context: 21, spans: graph.spans)
    step.addPrefill(sequences: 1, tokens: 40, start: 0, last: true, spans: graph.spans)
    let expected = graph.operators(for: step)
    #expect(Set(expected.map(\.name)) == Set(engine.meter.used.map(\.kind.rawValue)))
    for item in expected {
      let kind = try #require(EngineOperator(rawValue: item.name))
      let found = engine.meter[kind]
      #expect(found.calls == item.count, "\(item.name)")
      // Which experts are visited is chance, and the graph has the mean; norms and the like are counted by habit.
      if item.name.hasPrefix("expert_g") || item.name.hasPrefix("expert_d") {
        #expect(abs(found.flops / (item.flops.value * Double(item.count)) - 1) < 1e-9, "\(item.name)")
        continue
      }
      guard item.flops > .zero, item.kind.isProductOrAttention else { continue }
      #expect(abs(found.flops / (item.flops.value * Double(item.count)) - 1) < 1e-9, "\(item.name)")
      let cache = item.traffic.kvRead.value + item.traffic.kvWritten.value
      #expect(abs(found.cacheBytes - cache * Double(item.count)) < 1e-6, "\(item.name)")
      if item.name != "router" {
        #expect(abs(found.weightBytes - item.traffic.weights.value * Double(item.count)) < 1e-6, "\(item.name)")
        // The head's inputs count in the stream's format there; integer kernels round them first.
        let allowed = item.name == "lm_head" ? 3 * 96 * 2.0 + 1e-6 : 1e-6
        #expect(
          abs(found.activationBytes - item.traffic.activations.value * Double(item.count)) < allowed, "\(item.name)")
      }
    }
  }

  @Test(arguments: WeightFormat.allCases)
  func `weights take the memory that the footprint says`(format: WeightFormat) throws {
    let configuration = InvarianceTests.configuration.replacing("MODEL", with: "llama")
      .replacing("\"vocab_size\": 101", with: "\"vocab_size\": 112")
    let model = try RandomModel.make(configuration, .init(projections: format, tables: format))
    let graph = try OperatorGraph(model: model.shape.model, plan: Plan(formats: model.formats))
    // Norms are kept in f32, INT8 has a scale a column.
    #expect(abs(model.size / graph.footprint.weights - 1) < 0.05)
  }

  @Test func `rotary scalings are those of their papers`() throws {
    let plain = RotaryEmbedding(base: 10_000)
    #expect(plain.frequencies(headWidth: 4) == [1, 0.01])
    let linear = RotaryEmbedding(base: 10_000, scaling: .linear(4))
    #expect(linear.frequencies(headWidth: 4) == [0.25, 0.0025])
    // 8192 tokens hold 1304 waves of the first kind, kept, and 13 of the second, kept; one of 0.13, divided by 8.
    let llama = RotaryEmbedding(base: 1e8, scaling: .llama3(factor: 8, low: 1, high: 4, original: 8192))
    let found = llama.frequencies(headWidth: 8)
    #expect(abs(found[0] - 1) < 1e-12 && abs(found[1] - 0.01) < 1e-12 && abs(found[2] - 1.25e-5) < 1e-15)
  }
}

extension OperatorKind {
  fileprivate var isProductOrAttention: Bool {
    switch self {
    case .gemm, .decodeAttention, .prefillAttention: true
    default: false
    }
  }
}
