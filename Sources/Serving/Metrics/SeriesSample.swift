import Execution
import Quantities

/// The state of the cluster at a moment, with all that happened until then.
package struct SeriesSample: Sendable, Equatable {
  /// Nanoseconds since the start of the run.
  package var time: Int64
  package var waiting: Int
  package var running: Int
  /// Share of the KV blocks in use, of replicas that are up.
  package var occupancy: Double
  package var replicasUp: Int
  /// Mean power of all devices, and answer tokens a second, since the sample before; nothing for the first.
  package var power: Watts?
  package var outputTokensPerSecond: Double?
}

/// How often samples are due, and what rates are taken against.
struct SeriesSampler {
  let interval: Int64
  /// Energy and tokens up to the sample before.
  var energy: Joules?
  var outputTokens = 0

  init(every interval: Seconds) { self.interval = max(1, interval.nanoseconds) }
}

extension Replica {
  /// How far the step or span in progress has come.
  struct Progress {
    /// Steps of the span that are over, and their energy.
    var steps = 0
    var nanojoules: Int64 = 0
    /// Energy of the step in progress so far, as if drawn evenly.
    var partial = 0.0
  }

  /// Steps of the one in progress that ended before a time, and what the one under way has drawn by it.
  /// - Parameters:
  ///   - end: Steps that end before it are over.
  ///   - now: Up to when energy is counted.
  func progress(before end: Int64, now: Int64) -> Progress {
    guard pipeline == nil else { return passing(now) }
    guard batch.clock.isBusy else { return Progress() }
    guard let span = batch.clock.span, span.steps > 1 else {
      let share = share(batch.clock, of: 0, batch.clock.picoseconds, now)
      return Progress(partial: share * Double(batch.clock.nanojoules))
    }
    func first(_ steps: Int, within picoseconds: Int64 = .max) -> DecodeSpan {
      guard steps > 0 else { return DecodeSpan() }
      return costs.span(sequences: span.sequences, context: span.context, limit: steps, within: picoseconds)
    }
    let part = first(span.steps, within: batch.clock.picoseconds(until: end))
    let over = first(part.steps - 1)
    let share = share(batch.clock, of: over.picoseconds, part.picoseconds - over.picoseconds, now)
    return Progress(
      steps: over.steps, nanojoules: over.nanojoules, partial: share * Double(part.nanojoules - over.nanojoules))
  }

  /// What the micro-batches on their way have drawn, as if evenly.
  private func passing(_ now: Int64) -> Progress {
    var progress = Progress()
    eachBatch { _, batch in
      guard batch.clock.isBusy else { return }
      progress.partial += share(batch.clock, of: 0, batch.clock.picoseconds, now) * Double(batch.clock.nanojoules)
    }
    return progress
  }

  /// The share of a step that has passed.
  /// - Parameter before: Picoseconds of the span before it.
  private func share(_ clock: ReplicaClock, of before: Int64, _ length: Int64, _ now: Int64) -> Double {
    length > 0 ? min(1, max(0, Double(clock.picosecondsPassed(at: now) - before) / Double(length))) : 0
  }
}

extension ServingEngine {
  /// Hands out the samples that are due before an event.
  mutating func sample(before time: Int64, _ observer: Observer) throws {
    while let interval = sampler?.interval, nextSample < time {
      if let sample = takeSample(at: nextSample) { try observer.onSample?(sample) }
      nextSample = nextSample.addingSaturated(interval)
    }
  }

  private mutating func takeSample(at time: Int64) -> SeriesSample? {
    guard var sampler else { return nil }
    var sample = SeriesSample(time: time, waiting: 0, running: 0, occupancy: 0, replicasUp: members.count { $0.isUp })
    var (used, blocks, tokens) = (0, 0, metrics.outputTokens)
    var nanojoules = metrics.nanojoules
    var partial = 0.0
    for (replica, member) in zip(replicas, members) {
      // Steps that end now are over, as if nothing were taken at once.
      let progress = replica.progress(before: time + 1, now: time)
      sample.waiting += replica.waiting.count
      sample.running += replica.running
      used += replica.usedBlocks(at: time + 1)
      if member.isUp { blocks += replica.limits.blocks }
      tokens += progress.steps * (replica.batch.decodes.count - replica.batch.padding.count)
      nanojoules += Int128(progress.nanojoules)
      partial += progress.partial
    }
    sample.occupancy = blocks > 0 ? Double(used) / Double(blocks) : 0
    let energy = Joules((Double(nanojoules) + partial) / 1e9) + idleEnergy(at: time)
    if let before = sampler.energy {
      let seconds = Seconds(Double(sampler.interval) / 1e9)
      sample.power = (energy - before) / seconds
      sample.outputTokensPerSecond = Double(tokens - sampler.outputTokens) / seconds.value
    }
    sampler.energy = energy
    sampler.outputTokens = tokens
    self.sampler = sampler
    return sample
  }

  // MARK: Service

  /// The source has no more requests: notes what its tenants have been served.
  mutating func settleService() {
    guard metrics.tenants != nil else { return }
    let rows = table.indices.filter { table[$0].phase != .ended }
    let open = rows.map { row in
      let live = table[row]
      let isFirst = live.family < 0 || live.family == row
      return (
        classIndex: Int(live.request.classIndex), prompt: isFirst ? live.promptTokensServed : 0,
        answer: live.generated + live.siblingTokens + generatedSinceLooked(row)
      )
    }
    metrics.tenants?.settle(open: open)
  }

  /// Answer tokens of a request that has not ended, all its samples together.
  func openTokens(_ row: Int32) -> Int {
    let live = table[row]
    let others = live.family < 0 ? [] : table.family(row).filter { $0 != row }
    return live.generated + live.siblingTokens + generatedSinceLooked(row)
      + others.reduce(0) { $0 + table[$1].generated + generatedSinceLooked($1) }
  }

  /// Tokens that a decoding request got since its count was last brought up to date, by steps that are over.
  func generatedSinceLooked(_ row: Int32) -> Int {
    let live = table[row]
    guard live.phase == .decoding, live.slot >= 0, !live.isPadding else { return 0 }
    let replica = replicas[Int(live.replica)]
    let isUnderWay = replica.batch.clock.isBusy && replica.batch.clock.isDecoding
    return replica.decodes(of: Int(live.slot)).stepsSinceJoin(Int(live.slot))
      + (isUnderWay ? replica.progress(before: now, now: now).steps : 0)
  }
}

extension Seconds {
  /// Whole nanoseconds, up to the end of the clock.
  var nanoseconds: Int64 { Int64(min(9e18, max(0, (value * 1e9).rounded()))) }
}
