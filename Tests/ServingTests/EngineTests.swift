import CostModels
import EventKernel
import Execution
import ModelGraph
import Quantities
import TestSupport
import Testing
import Workloads

@testable import Serving

@Suite struct EngineTests {
  private let roomy = ServingLimits(
    maxBatchedTokens: 64, maxSequences: 8, maxModelLength: 1000, blockSize: 4, blocks: 1000)

  @Test func `a step beyond the end of the clock is refused, not a crash`() throws {
    let late = Request(at: Int(Int64.max - 1_500_000), 10, 3)
    #expect(throws: ServingError.self) { try Run([late], constantStep(milliseconds: 1), roomy) }
  }

  // MARK: By hand, every step 1 ms

  @Test func `a prompt of two chunks and three answer tokens take four steps`() throws {
    let run = try Run([Request(at: 5_000_000, 100, 3)], constantStep(milliseconds: 1), roomy)
    #expect(
      run.records.map(\.line) == [
        "0 completed 100+3 arrived 5000000 scheduled 5000000 first 7000000 done 9000000 preempted 0"
      ])
    #expect(run.result.metrics.steps == 4)
    #expect(run.result.duration == Seconds(4e-3))
    #expect(run.result.utilisation == 1)
    // 102 tokens are cached in the last step, in 26 blocks.
    #expect(run.result.metrics.peakBlocks == 26)
  }

  @Test func `a request that arrives at the end of a step is in the next one`() throws {
    let run = try Run(
      [Request(at: 0, 10, 5), Request(at: 1_000_000, 10, 1)], constantStep(milliseconds: 1), roomy)
    #expect(
      run.records[0].line == "1 completed 10+1 arrived 1000000 scheduled 1000000 first 2000000 done 2000000 preempted 0"
    )
    #expect(run.result.metrics.steps == 5)
  }

  @Test func `when the cache runs out the request admitted last is computed again`() throws {
    // Each needs 2 blocks of 4 for its prompt and 3 in the end; there are 5.
    let limits = ServingLimits(maxBatchedTokens: 64, maxSequences: 8, maxModelLength: 100, blockSize: 4, blocks: 5)
    let run = try Run([Request(at: 0, 8, 4), Request(at: 0, 8, 4)], constantStep(milliseconds: 1), limits)
    // Step 1 prefills both; step 2 needs a block for each, and one is left. The first ends after step 4, and only
    // then are there 3 blocks for the second's 9 tokens: step 5 gives it its second token.
    #expect(
      run.records.map(\.line) == [
        "0 completed 8+4 arrived 0 scheduled 0 first 1000000 done 4000000 preempted 0",
        "1 completed 8+4 arrived 0 scheduled 0 first 1000000 done 7000000 preempted 1",
      ])
    #expect(run.result.preemptions == 1)
    #expect(run.result.metrics.interTokenLatency.maximum == Seconds(4e-3))
  }

  /// The first prompt waits for blocks that the decoding request holds; the short one fits beside it but came later.
  @Test func `nobody is admitted past a prompt that waits for blocks`() throws {
    let limits = ServingLimits(maxBatchedTokens: 8, maxSequences: 4, maxModelLength: 100, blockSize: 4, blocks: 8)
    let run = try Run(
      [Request(at: 0, 15, 8), Request(at: 0, 24, 1), Request(at: 0, 1, 1)], constantStep(milliseconds: 1), limits)
    let order = run.records.sorted { $0.firstScheduled < $1.firstScheduled }.map(\.id)
    #expect(order == [0, 1, 2])
    let ends = Dictionary(uniqueKeysWithValues: run.records.map { ($0.id, $0.firstToken) })
    #expect(ends[1]! <= ends[2]!)
  }

  @Test func `a whole prompt beyond the budget runs alone when prompts are not cut`() throws {
    var limits = roomy
    limits.chunkedPrefill = false
    let run = try Run(
      [Request(at: 0, 200, 1), Request(at: 0, 10, 1)], constantStep(milliseconds: 1), limits)
    #expect(run.records.map(\.firstToken) == [1_000_000, 2_000_000])
  }

  // MARK: Requests that cannot be served

  @Test func `requests beyond the model's length or the whole cache are rejected, and only those`() throws {
    let limits = ServingLimits(maxBatchedTokens: 64, maxSequences: 8, maxModelLength: 50, blockSize: 4, blocks: 10)
    let requests = [
      Request(at: 0, 40, 10), Request(at: 1, 41, 10), Request(at: 2, 40, 1), Request(at: 3, 40, 2),
    ]
    let run = try Run(requests, constantStep(milliseconds: 1), limits)
    let rejected = run.records.filter { $0.outcome == .rejected }.map(\.id).sorted()
    // 40 + 10 tokens are within the length but cache 49, in 13 blocks; 40 + 2 cache 41, in 11; 40 + 1 cache 40.
    #expect(rejected == [0, 1, 3])
    #expect(run.result.metrics.completed == 1)
  }

  @Test func `a run without any service has no rates, no percentiles and no NaN`() throws {
    let limits = ServingLimits(maxBatchedTokens: 64, maxSequences: 8, maxModelLength: 50, blockSize: 4, blocks: 10)
    for requests in [[], [Request(at: 7, 1000, 1)]] {
      let run = try Run(requests, constantStep(milliseconds: 1), limits)
      #expect(run.result.duration == .zero)
      #expect(run.result.rate(1) == 0)
      #expect(run.result.utilisation == 0)
      #expect(run.result.meanBatch == 0)
      #expect(run.result.meanOccupancy == 0)
      #expect(run.result.energy == .zero)
      #expect(run.result.metrics.timeToFirstToken.mean == nil)
      #expect(run.result.metrics.endToEnd.percentile(99) == nil)
      #expect(run.result.metrics.interTokenLatency.maximum == nil)
    }
  }

  @Test func `one request of one token has finite figures`() throws {
    let run = try Run([Request(at: 0, 1, 1)], constantStep(milliseconds: 1), roomy)
    #expect(run.result.rate(1) == 1000)
    #expect(run.result.metrics.timePerOutputToken.mean == nil)
    #expect(run.result.metrics.timeToFirstToken.percentile(50) == Seconds(1e-3))
    #expect(run.result.meanBatch == 1)
  }

  @Test func `an encoder-decoder model is refused by name`() throws {
    let deployment = try Repository.deployment("t5-large", on: "h100-sxm")
    #expect(throws: ReplayError.self) { try ServingEngine(deployment, limits: roomy) }
    do {
      _ = try ServingEngine(deployment, limits: roomy)
    } catch {
      #expect("\(error)".contains("t5-large has an encoder"))
    }
  }

  @Test func `limits without blocks, or with more sequences than tokens, are refused`() throws {
    var limits = roomy
    limits.blocks = 0
    #expect(throws: ServingError.self) { try ServingEngine(constantStep(milliseconds: 1), limits: limits) }
    limits = roomy
    limits.maxSequences = 65
    #expect(throws: ServingError.self) { try ServingEngine(constantStep(milliseconds: 1), limits: limits) }
  }

  @Test func `a stopped run reports what was waiting or running as unfinished`() throws {
    let requests = (0..<3000).map { Request(at: $0 * 100_000, 10, 10) }
    let run = try Run(requests, constantStep(milliseconds: 1), roomy) { _ in false }
    let metrics = run.result.metrics
    #expect(run.result.interrupted)
    #expect(metrics.completed > 0)
    #expect(metrics.unfinished > 0)
    #expect(metrics.completed + metrics.rejected + metrics.unfinished == run.result.arrived)
    #expect(run.records.map(\.id).sorted() == Array(0..<run.result.arrived))
    #expect(run.records.filter { $0.outcome == .unfinished }.allSatisfy { $0.completion == -1 })
  }

  // MARK: Alone

  /// Prefill is one step and each decode step is priced, so that only rounding to nanoseconds separates the two.
  @Test(arguments: [("llama-3-8b", 1000, 4), ("gemma-2-2b", 4095, 4), ("mamba2-2.7b", 700, 3), ("qwen2.5-0.5b", 64, 2)])
  func `a request alone takes the unloaded time and its way to the engine and back`(
    model: String, input: Int, output: Int
  ) throws {
    let deployment = try Repository.deployment(model, on: "h100-sxm")
    let prediction = try Predictor(deployment).predict(
      BatchCase(sequences: 1, inputTokens: input, outputTokens: output))
    let run = try Run([Request(at: 123, input, output)], deployment, ServingLimits(deployment))
    let record = try #require(run.completed.first)
    let way = deployment.wayOfRequest(input: input)
    #expect(abs(Double(record.timeToFirstToken) - (prediction.ttft.value + way) * 1e9) <= 1)
    // Decode steps are priced by straight pieces of a curve.
    #expect(near(Double(record.endToEnd) / 1e9, prediction.endToEnd.value + way, within: 5e-5))
    let tpot = try #require(prediction.tpot)
    #expect(abs(Double(try #require(record.timePerOutputToken)) / 1e9 - tpot.value) < 2e-9 + 5e-5 * tpot.value)
    #expect(near(run.result.energy.value, prediction.energy.value, within: 5e-5))
  }

  @Test func `a long answer alone takes as long to one part in ten thousand`() throws {
    let deployment = try Repository.deployment("llama-3-8b", on: "h100-sxm")
    let prediction = try Predictor(deployment).predict(
      BatchCase(sequences: 1, inputTokens: 2000, outputTokens: 2000))
    let run = try Run([Request(at: 0, 2000, 2000)], deployment, ServingLimits(deployment))
    let record = try #require(run.completed.first)
    let expected = prediction.endToEnd.value + deployment.wayOfRequest(input: 2000)
    #expect(near(Double(record.endToEnd) / 1e9, expected, within: 1e-4))
  }

  // MARK: Limits

  @Test func `a deployment's limits are its runtime's, its model's and its memory ledger's`() throws {
    let deployment = try Repository.deployment("llama-3-8b", on: "h100-sxm")
    let limits = ServingLimits(deployment)
    #expect(limits.maxModelLength == 8192)
    #expect(limits.maxBatchedTokens == 8192)
    #expect(limits.maxSequences == 256)
    #expect(limits.blockSize == 16)
    // 131,072 B a token, 16 tokens a block.
    let room = deployment.memoryLedger().cacheRoom.value
    #expect(limits.blocks == Int(room / (131_072 * 16)))
  }

  @Test func `a model without KV cache serves as many sequences as their states fit`() throws {
    let deployment = try Repository.deployment("xlstm-7b", on: "l4")
    let ledger = deployment.memoryLedger()
    let limits = ServingLimits(deployment)
    // 134.5 MB of state each.
    #expect(limits.maxSequences == Int(ledger.cacheRoom.value / ledger.footprint.statePerSequence.value))
    #expect((1..<256).contains(limits.maxSequences))
    #expect(ServingLimits(try Repository.deployment("mamba2-2.7b", on: "h200-sxm")).maxSequences == 256)
  }
}

extension Deployment {
  /// Seconds of a served request between its client and the engine.
  fileprivate func wayOfRequest(input: Int) -> Double {
    pricer.constants[.requestOverhead] + pricer.constants[.requestPerToken] * Double(input)
  }
}
