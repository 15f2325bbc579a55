import Execution
import Quantities
import Testing
import Workloads

@testable import Serving

/// What every scheduler must hold, whatever it is: a new one is covered by standing in the list.
@Suite struct SchedulerInvariantTests {
  static let schedulers = PolicyVariations.texts(Schedulers.descriptions)
  private static let perPolicy = 4 * PolicyVariations.thoroughness

  /// Runs a scenario event by event, with a look at the engine after each.
  private struct Watched {
    var engine: ServingEngine
    var records: [RequestRecord] = []
    var sent: [Request] = []

    init(_ engine: ServingEngine) { self.engine = engine }

    mutating func run(
      _ scenario: RichScenario, _ text: String, check: (inout ServingEngine) throws -> Void
    ) throws -> ServingResult {
      var source: any RequestSource = scenario.source()
      var records: [RequestRecord] = []
      let observer = ServingEngine.Observer(onEnd: { records.append($0) })
      try engine.begin(&source, .init())
      var events = 0
      while try engine.advance(&source, observer) {
        events += 1
        try #require(events < 100_000, "does not come to an end: \(text), \(scenario)")
        try check(&engine)
      }
      self.records = records
      return engine.result(interrupted: false)
    }
  }

  private func seeds(_ index: Int, stages: Int = 1) -> Range<Int> {
    let first = 10_000 + 1000 * index
    return first..<first + Self.perPolicy / min(2, stages)
  }

  @Test(arguments: [1, 3])
  func `blocks, slots and prompt tokens are accounted for at every event, and none is left at the end`(stages: Int)
    throws
  {
    var preemptions = 0
    for (index, text) in Self.schedulers.enumerated() {
      for seed in seeds(index, stages: stages) {
        let scenario = try RichScenario(seed: seed, stages: stages)
        var watched = Watched(try scenario.engine(Schedulers.make(text)))
        var before: Int64 = 0
        let result = try watched.run(scenario, text) { engine in
          try #require(engine.now >= before)
          before = engine.now
          try Self.checkAccounts(engine, "\(text), \(scenario)")
        }
        let replica = watched.engine.replicas[0]
        try #require(replica.isIdle && replica.running == 0 && replica.hostBlocks == 0, "\(text), \(scenario)")
        try #require(replica.freeBlocks == replica.limits.blocks, "\(text), \(scenario)")
        try #require(replica.backlog.tokens == 0, "\(text), \(scenario)")
        try #require(replica.tenantRequests.allSatisfy { $0 == 0 }, "\(text), \(scenario)")
        let table = watched.engine.table
        try #require(table.indices.map { table[$0] }.allSatisfy { $0.phase == .ended }, "\(text), \(scenario)")
        preemptions += result.preemptions
      }
    }
    #expect(preemptions > 10 * Self.schedulers.count / min(2, stages), "\(preemptions)")
  }

  private static func checkAccounts(_ engine: ServingEngine, _ context: String) throws {
    let (replica, table) = (engine.replicas[0], engine.table)
    let isBusy = replica.isBusy
    try #require(replica.freeBlocks >= 0, "\(context)")
    let held = replica.heldBlocks(table)
    try #require(held == replica.usedBlocks, "\(held) held, \(replica.usedBlocks) used: \(context)")
    try #require(replica.backlog.tokens == replica.uncomputedPromptTokens(table), "\(context)")
    let reserved = replica.sampleSlots.values.reduce(0) { $0 + $1.count }
    try #require(replica.running + reserved + replica.freeSlots.count == replica.limits.maxSequences, "\(context)")
    let swapped = table.indices.map { table[$0] }.filter { $0.phase == .waiting && $0.isSwapped }
    let host = swapped.reduce(0) { $0 + replica.limits.blocks(for: $1.computed) }
    try #require(host == replica.hostBlocks, "\(context)")
    // Nobody idles while somebody waits.
    let isDue = engine.pending?.arrival.nanoseconds == engine.now || engine.queue.nextTime?.nanoseconds == engine.now
    try #require(isBusy || replica.isIdle || isDue, "stands still: \(context)")
  }

  @Test(arguments: [1, 3])
  func `every request ends exactly once, in order of its times, with the tokens it asked for`(stages: Int) throws {
    var outcomes: [RequestRecord.Outcome: Int] = [:]
    for (index, text) in Self.schedulers.enumerated() {
      for seed in seeds(index + 100, stages: stages) {
        let scenario = try RichScenario(seed: seed, stages: stages)
        var watched = Watched(try scenario.engine(Schedulers.make(text)))
        let result = try watched.run(scenario, text) { _ in }
        let records = watched.records
        try #require(records.map(\.id).sorted() == Array(0..<result.arrived), "\(text), \(scenario)")
        let metrics = result.metrics
        #expect(metrics.ended == result.arrived && metrics.unfinished == 0, "\(text), \(scenario)")
        for record in records {
          outcomes[record.outcome, default: 0] += 1
          try checkTimes(record, "\(text), \(scenario): \(record.line)")
        }
        let ends = records.filter { $0.outcome == .completed }.map(\.completion)
        #expect(ends == ends.sorted(), "\(text), \(scenario)")
      }
    }
    for outcome in [RequestRecord.Outcome.completed, .rejected, .timedOut, .cancelled] {
      #expect(outcomes[outcome, default: 0] > Self.schedulers.count / min(2, stages), "\(outcome) \(outcomes)")
    }
  }

  private func checkTimes(_ record: RequestRecord, _ context: String) throws {
    try #require(record.firstScheduled < 0 || record.arrival <= record.firstScheduled, "\(context)")
    try #require(record.firstToken < 0 || record.firstScheduled < record.firstToken, "\(context)")
    // Up to three samples each.
    try #require(record.generatedTokens <= 3 * record.outputTokens, "\(context)")
    switch record.outcome {
    case .completed:
      try #require(0 <= record.firstScheduled && record.firstToken <= record.completion, "\(context)")
      try #require(record.generatedTokens > 0 && record.generatedTokens % record.outputTokens == 0, "\(context)")
      try #require((record.outputTokens == 1) == (record.firstToken == record.completion), "\(context)")
    case .rejected: try #require(record.firstScheduled < 0 && record.generatedTokens == 0, "\(context)")
    default: try #require(record.completion == -1, "\(context)")
    }
  }

  private func everything(_ scenario: RichScenario, _ text: String, manySteps: Bool) throws -> [String] {
    var engine = try scenario.engine(Schedulers.make(text), manySteps: manySteps)
    var source: any RequestSource = scenario.source()
    var lines: [String] = []
    let result = try engine.run(
      &source, observer: .init(onEnd: { lines.append("\($0.line) \($0.generatedTokens) \($0.hitTokens)") }))
    let metrics = result.metrics
    lines.append("\(result.counts) \(result.end) \(result.idleEnergy.value) \(metrics.energy.value)")
    lines.append("\(metrics.steps) \(metrics.busyNanoseconds) \(metrics.outputTokens) \(metrics.inputTokens)")
    lines.append("\(metrics.meanBlocks) \(metrics.peakBlocks) \(metrics.meanBatch)")
    lines.append("\(metrics.interTokenLatency.count) \(String(describing: metrics.interTokenLatency.mean))")
    return lines
  }

  @Test func `many steps at once are the same steps, bit for bit, and so is a second run`() throws {
    for (index, text) in Self.schedulers.enumerated() {
      for seed in seeds(index + 200) {
        let scenario = try RichScenario(seed: seed)
        let many = try everything(scenario, text, manySteps: true)
        try #require(try everything(scenario, text, manySteps: false) == many, "\(text), \(scenario)")
        guard seed % 3 == 0 else { continue }
        try #require(try everything(scenario, text, manySteps: true) == many, "\(text), \(scenario)")
      }
    }
  }

  // MARK: True lengths

  /// What has been decided up to a time: who runs with how many tokens, and who waits.
  private func decisions(
    _ requests: [Request], _ scenario: RichScenario, _ text: String, until end: Int64 = .max
  ) throws -> (log: [String], firstEnd: Int64) {
    var engine = try scenario.engine(Schedulers.make(text), manySteps: false)
    var source: any RequestSource = ListSource(requests, classes: scenario.classes)
    var log: [String] = []
    var firstEnd = Int64.max
    try engine.begin(&source, .init())
    while try engine.advance(&source, .init(onEnd: { _ in firstEnd = min(firstEnd, .max - 1) })) {
      if firstEnd != .max || engine.now >= end { return (log, engine.now) }
      let running = engine.replicas[0].slots.filter { $0 >= 0 }.map { row in
        let live = engine.table[row]
        return "\(live.id):\(live.computed):\(engine.replicas[0].generated(live))"
      }
      log.append("\(engine.now) \(running) waiting \(engine.replicas[0].waiting.count)")
    }
    return (log, engine.now)
  }

  @Test(arguments: [1, 3])
  func `no policy but those told lengths depends on what is still to be generated`(stages: Int) throws {
    var decided = 0
    var told: Set<String> = []
    for (index, text) in Self.schedulers.enumerated() {
      let scheduler = try Schedulers.make(text)
      if scheduler.lengths != .none {
        told.insert(String(text.prefix { $0 != ":" }))
        continue
      }
      for seed in seeds(index + 300, stages: stages) {
        let scenario = try RichScenario(seed: seed, stages: stages)
        // The blocks of drafts end with the answer, which the other micro-batches may come to feel.
        if stages > 1, scenario.options.speculation != nil { continue }
        let limits = try ReplicaPlan(scenario.plain.deployment, limits: scenario.limits).limits
        let requests = scenario.source(sessions: false).all.map { request in
          var request = request
          request.samples = 1
          return request
        }
        let longer = requests.map { request in
          var request = request
          request.outputTokens += 17
          return request
        }
        let able = requests.indices.filter { limits.canServe(longer[$0]) }
        let first = try decisions(able.map { requests[$0] }, scenario, text)
        let second = try decisions(able.map { longer[$0] }, scenario, text, until: first.firstEnd)
        let count = min(first.log.count, second.log.count)
        try #require(Array(first.log.prefix(count)) == Array(second.log.prefix(count)), "\(text), \(scenario)")
        decided += count
      }
    }
    #expect(told == ["sjf-oracle", "sjf-predicted", "srpt-oracle", "srpt-predicted", "expression"])
    #expect(decided > 10 * Self.schedulers.count / min(2, stages), "\(decided)")
  }

  // MARK: Admission

  @Test(arguments: [1, 3])
  func `under every admission each request still ends exactly once, many steps or single ones`(stages: Int) throws {
    var rejected = 0
    for (index, text) in PolicyVariations.texts(Admissions.descriptions).enumerated() {
      for seed in seeds(index + 400, stages: stages) {
        let scenario = try RichScenario(seed: seed, stages: stages)
        var runs: [[String]] = []
        for manySteps in [true, false] {
          var engine = try scenario.engine(FirstComeFirstServed(), manySteps: manySteps, admission: text)
          var source: any RequestSource = scenario.source()
          var records: [RequestRecord] = []
          let result = try engine.run(&source, observer: .init(onEnd: { records.append($0) }))
          try #require(records.map(\.id).sorted() == Array(0..<result.arrived), "\(text), \(scenario)")
          runs.append(records.map(\.line))
          rejected += result.metrics.rejected
        }
        try #require(runs[0] == runs[1], "\(text), \(scenario)")
      }
    }
    #expect(rejected > 50 / min(2, stages))
  }
}
