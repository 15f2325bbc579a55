import Execution
import Quantities
import Testing

@testable import Serving

/// What every replay must hold, on random replays.
@Suite struct InvariantTests {
  private static let seeds = 1000..<1120

  private func withScenarios(_ check: (Scenario, Run) throws -> Void) throws {
    for seed in Self.seeds {
      // Every other one with pipeline stages.
      for stages in [1, 2 + seed % 2] {
        let scenario = try Scenario(seed: seed, stages: stages)
        try check(scenario, try scenario.run())
      }
    }
  }

  @Test func `every request ends exactly once and the counts add up`() throws {
    try withScenarios { scenario, run in
      #expect(run.records.map(\.id).sorted() == Array(scenario.requests.indices), "\(scenario)")
      let metrics = run.result.metrics
      #expect(metrics.completed + metrics.rejected == scenario.requests.count, "\(scenario)")
      #expect(metrics.unfinished == 0, "\(scenario)")
      #expect(run.result.arrived == scenario.requests.count)
      #expect(metrics.completed == run.completed.count)
      #expect(metrics.rejected == run.records.count { $0.outcome == .rejected })
    }
  }

  @Test func `a request is scheduled after it arrives, then has a first token, then completes`() throws {
    try withScenarios { scenario, run in
      for record in run.completed {
        #expect(record.arrival == scenario.requests[record.id].arrival.nanoseconds)
        #expect(record.arrival <= record.firstScheduled, "\(scenario): \(record.line)")
        #expect(record.firstScheduled < record.firstToken, "\(scenario): \(record.line)")
        #expect(
          record.outputTokens == 1
            ? record.firstToken == record.completion : record.firstToken < record.completion,
          "\(scenario): \(record.line)")
      }
      for record in run.records where record.outcome == .rejected {
        #expect([record.firstScheduled, record.firstToken, record.completion] == [-1, -1, -1])
      }
      let ends = run.completed.map(\.completion)
      #expect(ends == ends.sorted(), "\(scenario)")
    }
  }

  @Test func `tokens out are the answers of the completed requests, preempted or not`() throws {
    try withScenarios { scenario, run in
      let asked = run.completed.map { scenario.requests[$0.id] }
      let metrics = run.result.metrics
      #expect(metrics.outputTokens == asked.reduce(0) { $0 + $1.outputTokens }, "\(scenario)")
      #expect(metrics.inputTokens == asked.reduce(0) { $0 + $1.inputTokens }, "\(scenario)")
      #expect(metrics.interTokenLatency.count == asked.reduce(0) { $0 + $1.outputTokens - 1 }, "\(scenario)")
      #expect(metrics.timeToFirstToken.count == asked.count)
      #expect(metrics.timePerOutputToken.count == asked.count { $0.outputTokens > 1 })
      #expect(run.result.preemptions == run.completed.reduce(0) { $0 + $1.preemptions }, "\(scenario)")
    }
  }

  /// The gaps between a request's tokens fill the time from its first to its last.
  @Test func `inter-token latencies add up to the time after the first tokens`() throws {
    try withScenarios { scenario, run in
      let gaps = run.result.metrics.interTokenLatency
      let after = run.completed.reduce(Int64(0)) { $0 + $1.completion - $1.firstToken }
      let sum = (gaps.mean?.value ?? 0) * Double(gaps.count)
      // Each gap is within a nanosecond of the clock's.
      #expect(abs(sum - Double(after) / 1e9) <= 1e-9 * Double(gaps.count + 1), "\(scenario)")
    }
  }

  @Test func `busy and idle time make up the run, and power stays between rest and the cap`() throws {
    try withScenarios { scenario, run in
      let result = run.result
      let devices = Double(scenario.stages)
      let idle = result.idleEnergy.value / 10 / devices  // a device rests at 10 W
      let busy = Double(result.metrics.busyNanoseconds) / 1e9
      #expect(abs(idle + busy - result.duration.value) < 2e-9 * Double(1 + result.arrived), "\(scenario)")
      #expect(result.metrics.energy <= Watts(100 * devices) * Seconds(busy * (1 + 1e-12)), "\(scenario)")
      #expect(result.metrics.energy >= Watts(20 * devices) * Seconds(busy) * 0.9999, "\(scenario)")
    }
  }

  @Test func `the same traffic gives the same run`() throws {
    for seed in Self.seeds {
      let scenario = try Scenario(seed: seed, stages: 1 + seed % 3)
      let (first, second) = (try scenario.run(), try scenario.run())
      #expect(first.records.map(\.line) == second.records.map(\.line))
      #expect(first.result.metrics.energy == second.result.metrics.energy)
      #expect(first.result.metrics.interTokenLatency.mean == second.result.metrics.interTokenLatency.mean)
      #expect(first.result.meanOccupancy == second.result.meanOccupancy)
    }
  }

  /// Drives a replica by hand, looking at it before and after every step.
  @Test func `blocks are conserved at every event and none is left at the end`() throws {
    var preemptions = 0
    for seed in Self.seeds {
      let scenario = try Scenario(seed: seed)
      let limits = scenario.limits
      var replica = Replica(limits: limits, costs: try StepTable(scenario.deployment))
      var metrics = ServingMetrics()
      let table = RequestTable()
      var pending = scenario.requests.enumerated().map { LiveRequest(id: $0, $1) }.filter {
        replica.canServe($0.request)
      }[...]
      var now: Int64 = 0
      func arrive(before end: Int64) {
        while let next = pending.first, next.arrival <= min(end, replica.isBusy ? replica.batch.clock.end : end) {
          replica.enqueue(table.add(pending.removeFirst()), now: max(now, next.arrival), table)
        }
      }
      while true {
        arrive(before: now)
        let begun = replica.beginStep(now: now, table)
        try #require(replica.freeBlocks >= 0, "\(scenario)")
        try #require(replica.heldBlocks(table) == replica.usedBlocks, "\(scenario)")
        try #require(replica.running <= limits.maxSequences, "\(scenario)")
        if begun {
          arrive(before: .max)
          now = replica.batch.clock.end
          replica.endStep(now: now, table, &metrics)
          for row in replica.ended { table.remove(row) }
          try #require(replica.heldBlocks(table) == replica.usedBlocks, "\(scenario)")
        } else {
          // Work conservation: without a step there is nothing to do.
          try #require(replica.isIdle, "\(scenario)")
          guard let next = pending.first else { break }
          now = next.arrival
        }
      }
      #expect(replica.freeBlocks == limits.blocks, "\(scenario)")
      preemptions += replica.counts.preemptions
    }
    #expect(preemptions > 100, "\(preemptions)")
  }

  /// Little's law over the batch: what the engine integrates step by step is the time requests spend in it.
  @Test func `the mean batch is the time requests spend in it over the busy time`() throws {
    try withScenarios { scenario, run in
      guard run.result.preemptions == 0, run.result.metrics.completed > 0 else { return }
      let inBatch = run.completed.reduce(Int64(0)) { $0 + $1.completion - $1.firstScheduled }
      let mean = Double(inBatch) / Double(run.result.metrics.busyNanoseconds)
      // Requests' times are whole nanoseconds of runs of microseconds.
      #expect(abs(run.result.meanBatch - mean) <= 1e-4 * mean, "\(scenario)")
    }
  }
}
