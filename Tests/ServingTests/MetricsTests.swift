import EventKernel
import Execution
import Quantities
import Statistics
import TestSupport
import Testing
import Workloads

@testable import Serving

/// Requests of several classes from an array.
struct ClassSource: RequestSource {
  var requests: ArraySlice<Request>
  let classes: [RequestClass]

  var count: Int? { requests.count }

  mutating func next() -> Request? { requests.popFirst() }
}

/// What a measured run told.
private struct Measured {
  var result: ServingResult
  var records: [RequestRecord] = []
  var samples: [SeriesSample] = []
  var steps: [StepReport] = []

  init(
    _ requests: [Request], _ replica: ReplicaPlan, classes: [RequestClass] = [.standard],
    measuring options: MeasurementOptions = MeasurementOptions(), every interval: Seconds? = nil
  ) throws {
    var engine = try ServingEngine(ClusterPlan(replica), measuring: options)
    var source: any RequestSource = ClassSource(requests: requests[...], classes: classes)
    var (records, samples, steps): ([RequestRecord], [SeriesSample], [StepReport]) = ([], [], [])
    var observer = ServingEngine.Observer(onEnd: { records.append($0) })
    observer.onStep = { steps.append($0) }
    if let interval {
      observer.onSample = { samples.append($0) }
      observer.sampleInterval = interval
    }
    result = try engine.run(&source, observer: observer)
    (self.records, self.samples, self.steps) = (records, samples, steps)
  }
}

@Suite struct MetricsTests {
  private let roomy = ServingLimits(
    maxBatchedTokens: 64, maxSequences: 8, maxModelLength: 1000, blockSize: 4, blocks: 1000)

  private func replica() throws -> ReplicaPlan { try ReplicaPlan(constantStep(milliseconds: 1), limits: roomy) }

  private func request(at milliseconds: Int, _ input: Int, _ output: Int, of index: Int = 0) -> Request {
    var request = Request(at: milliseconds * 1_000_000, input, output)
    request.classIndex = UInt16(index)
    return request
  }

  // MARK: Objectives

  /// Every step is 1 ms. The first prompt takes 2 steps, the second one waits for its last chunk.
  @Test func `goodput counts the requests that meet every objective of their class`() throws {
    let classes = [
      RequestClass(name: "chat", objective: ServiceObjective(timeToFirstToken: Seconds(2e-3), endToEnd: Seconds(4e-3))),
      RequestClass(name: "batch"),
    ]
    let requests = [
      request(at: 0, 100, 3), request(at: 10, 10, 4), request(at: 20, 10, 5), request(at: 30, 150, 1),
      request(at: 40, 1000, 1), request(at: 50, 500, 9, of: 1),
    ]
    let run = try Measured(requests, replica(), classes: classes)
    // TTFT 2, 1, 1, 3 ms; end to end 4, 4, 5, 3 ms; the fifth is too long and rejected.
    let chat = run.result.metrics.classes[0]
    #expect(chat.outcomes.completed == 4 && chat.outcomes.rejected == 1)
    #expect(chat.objectives.judged == 5 && chat.objectives.good == 2 && chat.objectives.goodTokens == 7)
    #expect(chat.objectives.metTimeToFirstToken == 3 && chat.objectives.metEndToEnd == 3)
    #expect(chat.objectives.metTimePerOutputToken == 4)
    // Without an objective, all that is completed is good.
    #expect(run.result.metrics.classes[1].objectives.good == 1)
    #expect(run.result.metrics.objectives.good == 3 && run.result.metrics.objectives.judged == 6)
  }

  @Test func `an objective for all replaces the class's own, latency by latency`() throws {
    let own = ServiceObjective(timeToFirstToken: Seconds(1.0), endToEnd: Seconds(2.0))
    let objective = Objective(own, replacedBy: ServiceObjective(timeToFirstToken: Seconds(0.5)))
    #expect(objective == Objective(ServiceObjective(timeToFirstToken: Seconds(0.5), endToEnd: Seconds(2.0))))
    #expect(objective.timeToFirstToken == 500_000_000 && objective.timePerOutputToken == nil)
  }

  @Test func `a latency equal to its objective is good and a nanosecond more is not`() throws {
    for (limit, good) in [(2e-3, 1), (1.999999e-3, 0)] {
      var options = MeasurementOptions()
      options.objective.timeToFirstToken = Seconds(limit)
      let run = try Measured([request(at: 0, 100, 3)], replica(), measuring: options)
      #expect(run.result.metrics.objectives.good == good)
    }
  }

  @Test func `classes add up to the whole`() throws {
    let classes = (0..<3).map { RequestClass(name: "\($0)", tenant: $0 == 2 ? "b" : "a") }
    for seed in 3000..<3040 {
      let scenario = try Scenario(seed: seed)
      let requests = scenario.requests.enumerated().map { index, request in
        var request = request
        request.classIndex = UInt16(index % 3)
        return request
      }
      let run = try Measured(
        requests, ReplicaPlan(scenario.deployment, limits: scenario.limits), classes: classes)
      let metrics = run.result.metrics
      func sum(_ value: (ClassMetrics) -> Int) -> Int { metrics.classes.reduce(0) { $0 + value($1) } }
      #expect(sum { $0.outcomes.completed } == metrics.completed && sum { $0.outcomes.rejected } == metrics.rejected)
      #expect(sum { $0.inputTokens } == metrics.inputTokens && sum { $0.outputTokens } == metrics.outputTokens)
      #expect(sum { $0.preemptions } == run.result.preemptions)
      #expect(sum { $0.latencies.endToEnd.count } == metrics.endToEnd.count)
      #expect(metrics.classes.compactMap { $0.latencies.endToEnd.maximum }.max() == metrics.endToEnd.maximum)
    }
  }

  // MARK: Tenants

  /// Both ask for the same; the second one's requests come last and are served after the last arrival.
  @Test func `service is counted up to the last arrival`() throws {
    let classes = [RequestClass(name: "a"), RequestClass(name: "b", weight: 2)]
    var limits = roomy
    limits.maxSequences = 1
    let plan = try ReplicaPlan(constantStep(milliseconds: 1), limits: limits)
    let requests = [request(at: 0, 10, 5), request(at: 0, 20, 6, of: 1), request(at: 8, 10, 5)]
    let run = try Measured(requests, plan, classes: classes)
    let tenants = try #require(run.result.metrics.tenants?.tenants)
    #expect(tenants.map(\.demand) == [2 * (10 + 10), 20 + 12])
    // Until 8 ms: all of the first request in 5 ms; of the second its prompt by 6 ms and one token more by 7 ms, for
    // the step that ends at 8 ms is not over when the last request arrives.
    #expect(tenants.map(\.service) == [10 + 2 * 5, 20 + 2 * 2])
    // Weighted: 20 and 12. (32 x 32) / (2 x (400 + 144)).
    #expect(run.result.metrics.tenants?.jainIndex == 1024.0 / 1088)
    #expect(run.result.metrics.tenants?.spread == 20.0 / 12)
  }

  @Test func `Jain's index is 1 for equal shares and 1 / n when one has all`() {
    #expect(TenantService.jainIndex([3, 3, 3]) == 1)
    #expect(TenantService.jainIndex([0, 0, 0, 7]) == 0.25)
    #expect(TenantService.jainIndex([1, 2, 3]) == 36.0 / 42)
    #expect(TenantService.jainIndex([0, 0]) == nil)
  }

  // MARK: Warm-up

  @Test func `requests of the warm-up are counted but not measured`() throws {
    let requests = (0..<10).map { request(at: 10 * $0, 10, 3) }
    for warmUp in [WarmUpCut.requests(4), .time(Seconds(0.04))] {
      var options = MeasurementOptions()
      options.warmUp = warmUp
      options.objective.endToEnd = Seconds(1.0)
      let run = try Measured(requests, replica(), measuring: options)
      let metrics = run.result.metrics
      #expect(metrics.completed == 10 && metrics.endToEnd.count == 6 && metrics.objectives.judged == 6)
      #expect(metrics.interTokenLatency.count == 12)
      // From 40 ms to 93 ms.
      #expect(metrics.measuredDuration(end: run.result.end) == Seconds(0.053))
    }
  }

  // MARK: Intervals

  @Test func `the interval of a steady run holds its mean, and a run too short has none`() throws {
    let requests = (0..<2000).map { request(at: 10 * $0, 10 + $0 * 7 % 13, 3 + $0 * 5 % 7) }
    let metrics = try Measured(requests, replica()).result.metrics
    let interval = try #require(metrics.intervals.endToEnd.mean(confidence: 0.95)?.interval)
    #expect(interval.range.contains(try #require(metrics.endToEnd.mean?.value)))
    #expect(interval.halfWidth < 1e-4)
    let short = try Measured([request(at: 0, 10, 3)], replica()).result.metrics
    #expect(short.intervals.endToEnd.mean(confidence: 0.95) == nil)
    #expect(short.intervals.endToEnd.quantile(0.5, confidence: 0.95) == nil)
  }

  // MARK: Saturation

  /// One request at a time takes 10 ms, so 100 a second are served.
  @Test(arguments: [(20, Saturation.Verdict.stable), (5, .saturated)])
  func `a run that gains requests for as long as they arrive is saturated`(
    spacing: Int, verdict: Saturation.Verdict
  ) throws {
    var limits = roomy
    limits.maxSequences = 1
    let plan = try ReplicaPlan(constantStep(milliseconds: 1), limits: limits)
    let requests = (0..<1000).map { request(at: spacing * $0, 10, 10) }
    let saturation = try Measured(requests, plan).result.metrics.saturation
    #expect(saturation.verdict == verdict)
    if verdict == .saturated {
      // 200 a second come, 100 leave.
      #expect(abs(saturation.growthPerSecond - 100) < 2)
    }
  }

  // MARK: Samples and steps

  /// One request: a prompt step, then 4 decodes, of 1 ms each; 20 tokens in 5 blocks of 4, and rest at 10 W.
  @Test func `samples say what had happened by then`() throws {
    let requests = [request(at: 0, 18, 5), request(at: 10, 18, 5)]
    let run = try Measured(requests, replica(), every: Seconds(1e-3))
    #expect(run.samples.map(\.time) == (0..<15).map { $0 * 1_000_000 })
    #expect(run.samples.prefix(6).map(\.running) == [1, 1, 1, 1, 1, 0])
    // 18 tokens and those of the step in progress: 18, 19, 20, 21, 22.
    #expect(run.samples.prefix(6).map { ($0.occupancy * 1000).rounded() } == [5, 5, 5, 6, 6, 0])
    #expect(run.samples[0].outputTokensPerSecond == nil && run.samples[0].power == nil)
    #expect(run.samples[1...5].allSatisfy { $0.outputTokensPerSecond == 1000 })
    #expect(run.samples[6...10].allSatisfy { $0.outputTokensPerSecond == 0 })
    #expect(run.samples[7...9].allSatisfy { abs(($0.power?.value ?? 0) - 10) < 1e-6 })
    #expect(run.samples[1...5].allSatisfy { ($0.power?.value ?? 0) > 10 })
  }

  @Test func `samples add up to the run's tokens and energy`() throws {
    for seed in 4000..<4060 {
      let scenario = try Scenario(seed: seed)
      let interval = Seconds(scenario.clock == .even ? 0.3e-3 : 7e-6)
      let run = try Measured(
        scenario.requests, ReplicaPlan(scenario.deployment, limits: scenario.limits), every: interval)
      // Requests that come later are rejected, while the cluster rests.
      let samples = run.samples.filter { $0.time <= run.result.end }
      guard let last = samples.last else { continue }
      let tokens = samples.compactMap(\.outputTokensPerSecond).reduce(0) { $0 + $1 * interval.value }
      let energy = samples.compactMap(\.power).reduce(Joules.zero) { $0 + $1 * interval }
      // What is left happens after the last sample, within one interval and the steps under way.
      #expect(tokens <= Double(run.result.metrics.outputTokens) + 1e-6, "\(scenario)")
      #expect(energy.value <= run.result.energy.value * (1 + 1e-9), "\(scenario)")
      let rest = Double(run.result.end - last.time) / 1e9
      #expect(rest <= interval.value * 1.000001, "\(scenario)")
      #expect(energy.value >= run.result.energy.value - 100 * (rest + 1e-9), "\(scenario)")
    }
  }

  @Test func `step reports cover every step once, in order, on a replica`() throws {
    for seed in 4100..<4140 {
      let scenario = try Scenario(seed: seed)
      let run = try Measured(scenario.requests, ReplicaPlan(scenario.deployment, limits: scenario.limits))
      #expect(run.steps.reduce(0) { $0 + $1.steps } == run.result.metrics.steps, "\(scenario)")
      for (step, next) in zip(run.steps, run.steps.dropFirst()) { #expect(step.end <= next.start, "\(scenario)") }
      let prompts = run.steps.reduce(0) { $0 + $1.promptTokens }
      #expect(prompts >= run.result.metrics.inputTokens, "\(scenario)")
      #expect(run.steps.map(\.usedBlocks).max() ?? 0 == run.result.metrics.peakBlocks, "\(scenario)")
    }
  }
}

/// Following every token.
@Suite struct FluidityTests {
  private func options(_ first: FluidityOptions.FirstToken, between: Double) -> MeasurementOptions {
    var options = MeasurementOptions()
    options.fluidity = FluidityOptions()
    options.fluidity?.firstToken = first
    options.fluidity?.between = Seconds(between)
    return options
  }

  /// The checks of the definition: seconds between tokens, deadlines missed and all.
  @Test(
    arguments: [
      ([0.1, 0.05, 0.05], 0, 3), ([0.05, 0.1, 0.05], 0, 3), ([0.1, 0.26, 0.05], 5, 7), ([0.5], 9, 9),
      ([0.01] + Array(repeating: 0.02, count: 10) + [0.3] + Array(repeating: 0.02, count: 5), 0, 17),
      ([0.3, 0.05], 5, 6),
    ] as [([Double], Int64, Int64)])
  func `deadlines missed follow the definition`(gaps: [Double], missed: Int64, total: Int64) throws {
    var time: Int64 = 7
    let times = gaps.map { gap in
      time += Int64((gap * 1e9).rounded())
      return time
    }
    let fluidity = try #require(RequestFluidity(times: times, arrival: 7, FluidityIndex.Deadlines()))
    #expect(fluidity.missed == missed && fluidity.total == total)
    #expect(fluidity.index == 1 - Double(missed) / Double(total))
  }

  @Test func `an answer without tokens has no fluidity, one of one token no fluid gap`() throws {
    #expect(RequestFluidity(times: [], arrival: 0, FluidityIndex.Deadlines()) == nil)
    #expect(try #require(RequestFluidity(times: [5], arrival: 0, FluidityIndex.Deadlines())).fluidGap == nil)
  }

  @Test func `every token has the reference engine's time, preemptions included`() throws {
    var preempted = 0
    for seed in 5000..<5200 {
      let scenario = try Scenario(seed: seed)
      let reference = try ReferenceEngine(scenario)
      let run = try Measured(
        scenario.requests, ReplicaPlan(scenario.deployment, limits: scenario.limits),
        measuring: options(.fixed(Seconds(2e-3)), between: 1e-3))
      for record in run.records where record.outcome == .completed {
        try #require(record.tokenTimes == reference.times[record.id], "\(scenario): \(record.line)")
        try #require(record.tokenTimes.count == record.outputTokens, "\(scenario)")
      }
      #expect(run.result.metrics.fluidity?.count == run.result.metrics.completed)
      preempted += run.result.preemptions
    }
    #expect(preempted > 200, "\(preempted)")
  }

  @Test func `a long answer beside many short ones keeps all its tokens' times`() throws {
    let limits = ServingLimits(
      maxBatchedTokens: 64, maxSequences: 4, maxModelLength: 100_000, blockSize: 16, blocks: 10_000)
    let requests = [Request(at: 0, 10, 20_000)] + (1..<3000).map { Request(at: $0 * 7_000_000, 10, 5) }
    let run = try Measured(
      requests, ReplicaPlan(constantStep(milliseconds: 1), limits: limits),
      measuring: options(.fixed(Seconds(1e-3)), between: 1e-3))
    let long = try #require(run.records.first { $0.id == 0 })
    #expect(long.tokenTimes == (1...20_000).map { Int64($0) * 1_000_000 })
    #expect(long.fluidity?.missed == 0 && long.fluidity?.total == 20_000 && long.fluidity?.fluidGap == 1_000_000)
    #expect(run.result.metrics.fluidity?.fluidShare == 1)
    #expect(abs((run.result.metrics.fluidity?.fluidTokensPerSecond ?? 0) - 1000) < 1)
  }

  @Test func `alone on an empty replica a prompt of any length is in time, one nanosecond less and it is not`() throws {
    let deployment = try RoundDeployment.make(TinyModel.dense(), ["step_overhead": "10 us"])
    for chunked in [true, false] {
      for tokens in [1, 63, 64, 65, 200, 999] {
        let limits = ServingLimits(
          maxBatchedTokens: 64, maxSequences: 8, maxModelLength: 2000, blockSize: 16, blocks: 1000,
          chunkedPrefill: chunked)
        let plan = try ReplicaPlan(deployment, limits: limits)
        let run = try Measured(
          [Request(at: 5, tokens, 1)], plan, measuring: options(.unloaded(slack: .zero), between: 1))
        #expect(run.records[0].fluidity?.missed == 0, "\(tokens)")
        let late = try Measured(
          [Request(at: 5, tokens, 1)], plan,
          measuring: options(.fixed(Seconds(Double(run.records[0].timeToFirstToken - 1) / 1e9)), between: 1))
        #expect(late.records[0].fluidity?.missed == 1, "\(tokens)")
      }
    }
  }
}

/// What is measured with many steps at once against single steps.
@Suite struct MeasuredSpanTests {
  private func run(_ scenario: Scenario, _ warmUp: WarmUpCut, manySteps: Bool) throws -> Measured {
    var replica = ReplicaOptions()
    replica.takesManySteps = manySteps
    var options = MeasurementOptions()
    options.warmUp = warmUp
    options.objective = ServiceObjective(timeToFirstToken: Seconds(4e-3), timePerOutputToken: Seconds(1.5e-3))
    options.fluidity = FluidityOptions()
    options.fluidity?.firstToken = .unloaded(slack: Seconds(1e-3))
    options.fluidity?.between = Seconds(1e-3)
    let classes = [RequestClass(name: "a"), RequestClass(name: "b", weight: 3)]
    let requests = scenario.requests.enumerated().map { index, request in
      var request = request
      request.classIndex = UInt16(index % 2)
      return request
    }
    return try Measured(
      requests, ReplicaPlan(scenario.deployment, limits: scenario.limits, options: replica), classes: classes,
      measuring: options, every: Seconds(scenario.clock == .even ? 0.7e-3 : 11e-6))
  }

  @Test func `samples, tokens, tenants and warm-up are the same bit for bit`() throws {
    var partial = 0
    for seed in 6000..<6150 {
      let scenario = try Scenario(seed: seed)
      let unit = scenario.clock == .even ? 1e-3 : 1e-5
      let warmUp = [WarmUpCut.none, .requests(seed % 7), .time(Seconds(unit * Double(seed % 20)))][seed % 3]
      let many = try run(scenario, warmUp, manySteps: true)
      let single = try run(scenario, warmUp, manySteps: false)
      try #require(many.samples == single.samples, "\(scenario)")
      try #require(many.records.map(\.tokenTimes) == single.records.map(\.tokenTimes), "\(scenario)")
      try #require(many.records.map(\.fluidity) == single.records.map(\.fluidity), "\(scenario)")
      let (a, b) = (many.result.metrics, single.result.metrics)
      try #require(a.tenants == b.tenants, "\(scenario)")
      try #require(a.interTokenLatency == b.interTokenLatency, "\(scenario)")
      try #require(a.latencies == b.latencies && a.objectives == b.objectives, "\(scenario)")
      try #require(a.fluidity?.meanIndex == b.fluidity?.meanIndex, "\(scenario)")
      if a.interTokenLatency.count > 0, a.interTokenLatency.count < a.outputTokens - a.completed { partial += 1 }
    }
    #expect(partial > 20, "\(partial)")
  }
}
