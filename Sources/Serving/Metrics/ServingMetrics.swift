import Execution
import Quantities

/// What a run is measured by, gathered in constant memory.
package struct ServingMetrics: Sendable {
  package private(set) var timeToFirstToken = LatencyDistribution()
  package private(set) var timePerOutputToken = LatencyDistribution()
  package private(set) var interTokenLatency = LatencyDistribution()
  package private(set) var endToEnd = LatencyDistribution()
  package private(set) var queueTime = LatencyDistribution()
  package internal(set) var completed = 0
  package internal(set) var rejected = 0
  package internal(set) var timedOut = 0
  package internal(set) var cancelled = 0
  package internal(set) var unfinished = 0
  /// Prompt tokens prefilled once, and answer tokens generated.
  package internal(set) var inputTokens = 0
  package internal(set) var outputTokens = 0
  package internal(set) var steps = 0
  package internal(set) var peakBlocks = 0
  package internal(set) var peakWaiting = 0
  /// Sums over steps, in whole units so that their order does not matter.
  private var busyPicoseconds: Int128 = 0
  private var nanojoules: Int128 = 0
  private var blockSteps: Int128 = 0
  private var sequencePicoseconds: Int128 = 0

  package init() {}

  /// Time in which steps ran, of all replicas together.
  package var busyNanoseconds: Int64 { Int64(busyPicoseconds / 1000) }
  package var energy: Joules { Joules(Double(nanojoules) / 1e9) }
  /// KV blocks in use, mean over steps.
  package var meanBlocks: Double { steps > 0 ? Double(blockSteps) / Double(steps) : 0 }
  /// Sequences in a step, mean over busy time.
  package var meanBatch: Double { busyPicoseconds > 0 ? Double(sequencePicoseconds) / Double(busyPicoseconds) : 0 }

  mutating func addGap(_ nanoseconds: Int64) { interTokenLatency.add(nanoseconds) }

  mutating func addGaps(_ times: StepTimes, sequences: Int) { interTokenLatency.add(times, sequences: sequences) }

  /// Requests that have ended one way or another.
  package var ended: Int { completed + rejected + timedOut + cancelled }

  mutating func add(_ record: RequestRecord) {
    switch record.outcome {
    case .completed: complete(record)
    case .rejected: rejected += 1
    case .timedOut: timedOut += 1
    case .cancelled: cancelled += 1
    case .unfinished: unfinished += 1
    }
  }

  private mutating func complete(_ record: RequestRecord) {
    completed += 1
    timeToFirstToken.add(record.timeToFirstToken)
    endToEnd.add(record.endToEnd)
    queueTime.add(record.queueTime)
    if let time = record.timePerOutputToken { timePerOutputToken.add(time) }
  }

  /// Books the step, or the decode steps, that end now.
  /// - Parameters:
  ///   - blocks: In use in the first of them.
  ///   - growth: Blocks added in later ones, each as often as steps had it.
  mutating func addSteps(_ clock: ReplicaClock, running: Int, blocks: Int, growth: Int) {
    let count = clock.span?.steps ?? 1
    steps += count
    busyPicoseconds += Int128(clock.picoseconds)
    nanojoules += Int128(clock.nanojoules)
    sequencePicoseconds += Int128(clock.picoseconds) * Int128(running)
    blockSteps += Int128(blocks * count + growth)
    peakBlocks = max(peakBlocks, blocks)
  }

  mutating func notePeak(blocks: Int) { peakBlocks = max(peakBlocks, blocks) }
}
