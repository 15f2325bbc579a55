import ModelGraph
import Quantities
import TestSupport
import Testing

/// How many experts a device visits and how full their tiles are, by routing and spread.
@Suite struct ExpertLoadTests {
  private func shape(
    _ routing: ExpertRouting, experts: Int = 64, chosen: Int = 4, tokens: Int, spread: Int = 1
  ) throws -> ExpertGEMMShape {
    let plan = Plan(
      formats: Formats(all: .bf16), parallelism: Parallelism(tensor: spread, expert: spread), routing: routing)
    let model = TinyModel.mixture(experts: experts, chosen: chosen)
    let graph = try OperatorGraph(model: model, plan: plan)
    let step = StepShape.decode(sequences: tokens, context: 10, spans: graph.spans)
    for work in graph.operators(for: step) {
      if case .expertGEMM(let shape) = work.kind { return shape }
    }
    throw Missing()
  }

  private struct Missing: Error {}

  @Test func `uniform routing visits the expected number of distinct experts`() throws {
    let one = try shape(.uniform, tokens: 1)
    #expect(near(one.activeExperts, 4))
    #expect(near(one.tiles(16), 4))
    // 64 (1 - (60/64)^32) experts.
    #expect(near(try shape(.uniform, tokens: 32).activeExperts, 55.885, within: 1e-5))
    // 256 visits to each: 16 full tiles of 16 rows and half a tile.
    let many = try shape(.uniform, tokens: 4096)
    #expect(near(many.tiles(16), 64 * (16 + 0.5 * 15 / 16)))
  }

  @Test func `even routing deals visits out and fills whole tiles`() throws {
    #expect(near(try shape(.even, tokens: 8).activeExperts, 32))
    let full = try shape(.even, tokens: 4096)
    #expect(near(full.activeExperts, 64) && near(full.tiles(128), 128) && near(full.tiles(100), 192))
    let quarter = try shape(.even, tokens: 4096, spread: 4)
    #expect(near(quarter.activeExperts, 16) && near(quarter.visits, 4096))
  }

  @Test func `a power law keeps every visit, leaves experts idle and burdens the busiest device`() throws {
    for tokens in [1, 5, 16, 17, 100, 3000] {
      let skewed = try shape(.powerLaw(1.2), tokens: tokens)
      let uniform = try shape(.uniform, tokens: tokens)
      #expect(near(skewed.visits, uniform.visits), "\(tokens) tokens")
      #expect(skewed.activeExperts <= 64 && skewed.activeExperts > 0)
      #expect(near(skewed.loads.sum() / 8 * skewed.activeExperts, skewed.visits))
      #expect(skewed.tiles(16) >= skewed.visits / 16)
      let spread = try shape(.powerLaw(1.2), tokens: tokens, spread: 4)
      #expect(spread.visits >= skewed.visits / 4 * (1 - 1e-9))
      // No expert sees a token twice.
      #expect(skewed.loads.max() <= Double(tokens) * (1 + 1e-9) || skewed.activeExperts < 8)
    }
    #expect(try shape(.powerLaw(1.2), tokens: 8).activeExperts < shape(.uniform, tokens: 8).activeExperts)
    // Steeper is busier.
    #expect(
      try shape(.powerLaw(2), tokens: 1000, spread: 4).visits
        > shape(.powerLaw(1), tokens: 1000, spread: 4).visits)
  }
}
