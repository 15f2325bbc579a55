import EventKernel
import Execution
import ModelGraph
import TestSupport
import Testing
import Workloads

@testable import Serving

@Suite struct SpeculationTests {
  private func run(_ scenario: Scenario, _ speculation: Speculation?) throws -> (Run, ReplicaCounts) {
    var options = ReplicaOptions()
    options.speculation = speculation
    let replica = try ReplicaPlan(scenario.deployment, limits: scenario.limits, options: options)
    var engine = try ServingEngine(ClusterPlan(replica))
    var source: any RequestSource = ListSource(scenario.requests)
    var records: [RequestRecord] = []
    let result = try engine.run(&source, observer: .init(onEnd: { records.append($0) }))
    return (Run(result: result, records: records), result.counts)
  }

  @Test func `drafts that are always accepted divide the steps by their number and one`() throws {
    let limits = ServingLimits(maxBatchedTokens: 64, maxSequences: 8, maxModelLength: 1000, blockSize: 4, blocks: 1000)
    var options = ReplicaOptions()
    options.speculation = Speculation(acceptance: [1, 1, 1])
    let replica = try ReplicaPlan(constantStep(milliseconds: 1), limits: limits, options: options)
    var engine = try ServingEngine(ClusterPlan(replica))
    var source: any RequestSource = ListSource([Request(at: 0, 10, 13)])
    var records: [RequestRecord] = []
    _ = try engine.run(&source, observer: .init(onEnd: { records.append($0) }))
    // One step for the prompt and its first token, three for twelve more.
    #expect(records.first?.completion == 4_000_000)
  }

  @Test func `every answer is whole, blocks are conserved, and acceptance is what was asked`() throws {
    var verified = 0
    var tokens = 0
    for seed in 3000..<3120 {
      let scenario = try Scenario(seed: seed)
      let speculation = Speculation(acceptance: [0.8, 0.6, 0.5], batchLimit: seed % 3 == 0 ? 2 : .max)
      let (run, counts) = try run(scenario, speculation)
      let asked = run.completed.map { scenario.requests[$0.id] }
      #expect(run.records.count == scenario.requests.count, "\(scenario)")
      #expect(run.result.metrics.outputTokens == asked.reduce(0) { $0 + $1.outputTokens }, "\(scenario)")
      #expect(
        run.result.metrics.interTokenLatency.count == asked.reduce(0) { $0 + $1.outputTokens - 1 }, "\(scenario)")
      verified += counts.speculations
      tokens += counts.speculatedTokens
    }
    // 1 + 0.8 + 0.48 + 0.24 on average, a little less where answers end.
    let mean = Double(tokens) / Double(verified)
    #expect(mean > 2.2 && mean < 2.55, "\(mean)")
  }

  @Test func `no speculation is the same as drafts beyond the batch limit`() throws {
    for seed in 3200..<3240 {
      let scenario = try Scenario(seed: seed)
      let (plain, _) = try run(scenario, nil)
      let (paused, counts) = try run(scenario, Speculation(acceptance: [0.5], batchLimit: 0))
      #expect(plain.records.map(\.line) == paused.records.map(\.line), "\(scenario)")
      #expect(counts.speculations == 0)
    }
  }

  @Test func `verifying costs a pass over all drafted tokens, and drafting a step for each depth`() throws {
    let deployment = try RoundDeployment.make(TinyModel.dense(), ["step_overhead": "1 ms"])
    let table = try StepTable(deployment)
    var step = StepShape.decode(sequences: 2, context: 100, spans: table.spans)
    let plain = table.exactCost(step)
    step.decodeQueries = 4
    let four = table.exactCost(step)
    #expect(step.tokens == 8)
    #expect(step.sampledTokens == 8)
    // The cache is read once whatever the number of queries, so four times the tokens cost less than four steps.
    #expect(four.picoseconds > plain.picoseconds)
    #expect(four.picoseconds < 4 * plain.picoseconds)
    #expect(Speculation(acceptance: [0.8, 0.5]).expectedTokens == 2.2)
  }
}

extension Run {
  init(result: ServingResult, records: [RequestRecord]) {
    self.result = result
    self.records = records
  }
}
