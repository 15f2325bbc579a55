import Execution
import Quantities
import Statistics
import Workloads

/// What a run is measured by, gathered in constant memory.
package struct ServingMetrics: Sendable {
  package private(set) var outcomes = OutcomeCounts()
  package private(set) var latencies = LatencySet()
  package private(set) var interTokenLatency = LatencyDistribution()
  package private(set) var intervals = LatencyIntervals()
  package private(set) var objectives = ObjectiveCounts()
  /// By class; empty when there is one.
  package private(set) var classes: [ClassMetrics] = []
  /// Nothing when there is one tenant.
  package internal(set) var tenants: TenantService?
  /// Nothing unless tokens are followed.
  package private(set) var fluidity: FluidityMetrics?
  package private(set) var backlog = BacklogSeries()
  /// Prompt tokens prefilled once, and answer tokens generated.
  package internal(set) var inputTokens = 0
  package internal(set) var outputTokens = 0
  package internal(set) var steps = 0
  package internal(set) var peakBlocks = 0
  package internal(set) var peakWaiting = 0
  /// Each class's objective, with what is asked of all.
  package let objectivesByClass: [Objective]
  /// Whether any request has an objective.
  package let hasObjectives: Bool
  private let warmUp: WarmUpCut
  private var firstArrival: Int64 = 0
  /// From this moment on, what is measured is kept; the end of the clock while it is not known.
  private(set) var measuredFrom: Int64 = 0
  /// Sums over steps, in whole units so that their order does not matter.
  private var busyPicoseconds: Int128 = 0
  private(set) var nanojoules: Int128 = 0
  private var blockSteps: Int128 = 0
  private var sequencePicoseconds: Int128 = 0
  /// Of pipeline stages: time at work, and time spent waiting while others worked.
  private var stagePicoseconds: Int128 = 0
  private var bubblePicoseconds: Int128 = 0

  package init(_ classes: [RequestClass] = [.standard], _ options: MeasurementOptions = MeasurementOptions()) {
    objectivesByClass = classes.map { Objective($0.objective, replacedBy: options.objective) }
    hasObjectives = !objectivesByClass.allSatisfy(\.isEmpty)
    warmUp = options.warmUp
    if classes.count > 1 { self.classes = classes.map { _ in ClassMetrics() } }
    if Set(classes.map(\.tenant)).count > 1 { tenants = TenantService(classes) }
    if options.fluidity != nil { fluidity = FluidityMetrics() }
  }

  // MARK: Steps

  /// Time in which steps ran, of all replicas together.
  package var busyNanoseconds: Int64 { Int64(busyPicoseconds / 1000) }
  package var energy: Joules { Joules(Double(nanojoules) / 1e9) }
  /// KV blocks in use, mean over steps.
  package var meanBlocks: Double { steps > 0 ? Double(blockSteps) / Double(steps) : 0 }
  /// Sequences in a step, mean over busy time.
  package var meanBatch: Double { busyPicoseconds > 0 ? Double(sequencePicoseconds) / Double(busyPicoseconds) : 0 }

  mutating func addGap(_ nanoseconds: Int64, at now: Int64) {
    if now >= measuredFrom { interTokenLatency.add(nanoseconds) }
  }

  mutating func addGaps(_ times: StepTimes, sequences: Int) { interTokenLatency.add(times, sequences: sequences) }

  /// Books the step, or the decode steps, that end now.
  /// - Parameters:
  ///   - blocks: In use in the first of them.
  ///   - growth: Blocks added in later ones, each as often as steps had it.
  mutating func addSteps(_ clock: ReplicaClock, running: Int, blocks: Int, growth: Int) {
    let count = clock.span?.steps ?? 1
    steps += count
    busyPicoseconds += Int128(clock.picoseconds)
    nanojoules += Int128(clock.nanojoules)
    sequencePicoseconds &+= Int128(clock.picoseconds) &* Int128(running)
    blockSteps += Int128(blocks * count + growth)
    peakBlocks = max(peakBlocks, blocks)
  }

  /// Books the time and energy of a step that a failure cuts off.
  mutating func addBrokenStep(_ clock: ReplicaClock, until now: Int64, running: Int) {
    let part = clock.part(until: now)
    busyPicoseconds += Int128(part.picoseconds)
    nanojoules += Int128(part.nanojoules)
    sequencePicoseconds += Int128(part.picoseconds) * Int128(running)
  }

  /// Books a micro-batch that has passed all stages.
  mutating func addMicroBatch(
    _ passage: StageClock.Passage, _ landing: Pipeline.Landing, nanojoules own: Int64, blocks: Int
  ) {
    steps += 1
    add(landing)
    nanojoules += Int128(own)
    stagePicoseconds += passage.busy
    bubblePicoseconds += passage.waiting
    blockSteps += Int128(blocks)
    peakBlocks = max(peakBlocks, blocks)
  }

  /// Books the part of a micro-batch's way that a failure cuts off.
  mutating func addBroken(_ passage: StageClock.Passage, _ part: StepTable.Cost, of whole: Int64) {
    nanojoules += Int128(part.nanojoules)
    guard whole > 0 else { return }
    stagePicoseconds += passage.busy * Int128(part.picoseconds) / Int128(whole)
    bubblePicoseconds += passage.waiting * Int128(part.picoseconds) / Int128(whole)
  }

  /// Books time in which micro-batches were on their way.
  mutating func add(_ landing: Pipeline.Landing) {
    busyPicoseconds += landing.span
    sequencePicoseconds += landing.area
    bubblePicoseconds += landing.trailing
    nanojoules += Int128(landing.nanojoules)
  }

  /// Share of the time of pipeline stages that they waited for each other; nothing without stages.
  package var pipelineBubbleShare: Double? {
    let sum = stagePicoseconds + bubblePicoseconds
    return sum > 0 ? Double(bubblePicoseconds) / Double(sum) : nil
  }

  mutating func notePeak(blocks: Int) { peakBlocks = max(peakBlocks, blocks) }

  // MARK: Requests

  /// The first request arrives.
  mutating func begin(at time: Int64) {
    firstArrival = time
    switch warmUp {
    case .none, .requests(...0): measuredFrom = time
    case .time(let wait): measuredFrom = time.addingSaturated(Int64(min(9e18, wait.value * 1e9)))
    case .requests: measuredFrom = .max
    }
  }

  /// - Parameter id: Position in the traffic, from 0.
  mutating func arrive(_ request: Request, id: Int, at now: Int64) {
    if measuredFrom == .max, case .requests(id) = warmUp { measuredFrom = now }
    backlog.arrive(at: now - firstArrival)
    tenants?.arrive(request)
  }

  mutating func add(_ record: RequestRecord) {
    outcomes.add(record.outcome)
    if record.outcome != .unfinished { backlog.leave(at: record.end - firstArrival) }
    tenants?.end(record)
    let isMeasured = isMeasured(record)
    if !classes.isEmpty {
      classes[record.classIndex].add(record, objectivesByClass[record.classIndex], isMeasured: isMeasured)
    }
    guard isMeasured else { return }
    if hasObjectives { objectives.add(record, objectivesByClass[record.classIndex]) }
    if record.outcome == .completed { complete(record) }
  }

  private mutating func complete(_ record: RequestRecord) {
    latencies.add(record)
    intervals.add(record)
    if let request = record.fluidity { fluidity?.add(request) }
  }

  private func isMeasured(_ record: RequestRecord) -> Bool {
    switch warmUp {
    case .none: true
    case .time: record.arrival >= measuredFrom
    case .requests(let count): record.id >= count
    }
  }

  // MARK: What it comes to

  /// Time in which what is measured arrived and was served, up to the end of the run.
  package func measuredDuration(end: Int64) -> Seconds { Seconds(Double(max(0, end - max(measuredFrom, 0))) / 1e9) }

  /// Whether requests piled up without bound while they arrived.
  package var saturation: Saturation { Saturation(backlog) }

  package var timeToFirstToken: LatencyDistribution { latencies.timeToFirstToken }
  package var timePerOutputToken: LatencyDistribution { latencies.timePerOutputToken }
  package var endToEnd: LatencyDistribution { latencies.endToEnd }
  package var queueTime: LatencyDistribution { latencies.queueTime }
  package var completed: Int { outcomes.completed }
  package var rejected: Int { outcomes.rejected }
  package var timedOut: Int { outcomes.timedOut }
  package var cancelled: Int { outcomes.cancelled }
  package var failed: Int { outcomes.failed }
  package var unfinished: Int { outcomes.unfinished }
  /// Requests that have ended one way or another.
  package var ended: Int { outcomes.ended }
}

extension Int64 {
  /// The sum, or the end of the clock.
  func addingSaturated(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
