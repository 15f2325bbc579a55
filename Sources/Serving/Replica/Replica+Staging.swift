import Execution
import ModelGraph
import Quantities
import Workloads

extension Replica {
  var isStaged: Bool { pipeline != nil }

  /// Takes another micro-batch in hand.
  mutating func turn(to index: Int) {
    guard let pipeline, pipeline.current != index else { return }
    swap(&batch, &pipeline.parked[pipeline.current])
    swap(&batch, &pipeline.parked[index])
    pipeline.current = index
  }

  /// Looks at every micro-batch, with its number.
  func eachBatch(_ body: (Int, borrowing MicroBatch) -> Void) {
    guard let pipeline else { return body(0, batch) }
    for index in pipeline.parked.indices {
      if index == pipeline.current { body(index, batch) } else { body(index, pipeline.parked[index]) }
    }
  }

  /// The decodes that a slot belongs to.
  func decodes(of slot: Int) -> DecodeGroup {
    guard let pipeline, pipeline.batch(of: slot) != pipeline.current else { return batch.decodes }
    return pipeline.parked[pipeline.batch(of: slot)].decodes
  }

  /// Whether a step of a slot's micro-batch is in progress.
  func isInStep(_ slot: Int) -> Bool {
    guard let pipeline else { return batch.clock.isBusy }
    return pipeline.isOnItsWay(pipeline.batch(of: slot))
  }

  // MARK: Times

  /// Whether a step is in progress.
  var isBusy: Bool {
    guard let pipeline else { return batch.clock.isBusy }
    return !pipeline.flight.isEmpty
  }

  /// When something happens here by itself: a step ends, or the first stage is free for those who wait.
  func nextAlarm(after now: Int64) -> Int64? {
    guard let pipeline else { return batch.clock.isBusy ? batch.clock.end : nil }
    let end = pipeline.flight.first.map { $0 == pipeline.current ? batch.clock.end : pipeline.parked[$0].clock.end }
    guard pipeline.firstFree > now, pipeline.flight.count < pipeline.count, !isIdle else { return end }
    return min(end ?? .max, pipeline.firstFree)
  }

  /// Whether a step could begin now.
  func mayBegin(now: Int64) -> Bool {
    guard let pipeline else { return !batch.clock.isBusy }
    return pipeline.firstFree <= now && pipeline.flight.count < pipeline.count && !isIdle
  }

  /// Whether a step ends now; its micro-batch is then in hand.
  mutating func turnToEnding(now: Int64) -> Bool {
    guard let pipeline else { return true }
    guard let first = pipeline.flight.first else { return false }
    turn(to: first)
    return batch.clock.end == now
  }

  // MARK: Beginning

  /// Forms a step of a micro-batch that is not on its way, the first in turn that has one.
  mutating func beginMicroBatch(now: Int64, _ table: RequestTable) -> Bool {
    guard let pipeline, mayBegin(now: now) else { return false }
    pipeline.count(until: Int128(now) * 1000, running: running)
    // Who lost their places in vain may have made room for a micro-batch that was asked before.
    while true {
      let before = running
      for index in pipeline.turns where tryForming(index, pipeline, now: now, table) { return true }
      guard running < before else { return false }
    }
  }

  private mutating func tryForming(_ index: Int, _ pipeline: Pipeline, now: Int64, _ table: RequestTable) -> Bool {
    let members = index == pipeline.current ? batch.order.count : pipeline.parked[index].order.count
    guard members > 0 || !waiting.isEmpty || !received.isEmpty else { return false }
    turn(to: index)
    if pipeline.short == index { pipeline.short = nil }
    return formStep(now: now, table)
  }

  /// Sends the micro-batch at hand through the stages, from where in this nanosecond its last step ended.
  mutating func send(_ shape: StepShape, _ pipeline: Pipeline, extra: StepTable.Cost, now: Int64) {
    let way = pipeline.send(
      { costs, list in
        costs.price(shape, into: &list)
        let hop = costs.hop(shape)
        for stage in list.indices.dropFirst() { list[stage].nanojoules += hop.nanojoules }
        return hop.picoseconds
      }, extra: extra, from: max(batch.clock.end == now ? batch.passage.end : 0, Int128(now) * 1000))
    batch.previousEnd = batch.clock.end
    batch.passage = way.passage
    // What is left of a nanosecond is kept by the stages' clock.
    batch.clock = ReplicaClock()
    batch.clock.begin(
      now: now,
      StepTable.Cost(
        picoseconds: Int64(clamping: way.passage.end - Int128(now) * 1000), nanojoules: way.nanojoules),
      decodes: shape.decodeSequences > 0)
  }

  /// Slots that the micro-batch at hand may still take.
  var openSlots: Int {
    guard pipeline != nil else { return freeSlots.count }
    return max(0, min(freeSlots.count, limits.batchSequences - batch.order.count - batch.setAside))
  }

  /// The next slot that the micro-batch at hand may take.
  var openSlot: Int? { pipeline == nil || openSlots > 0 ? freeSlots.last : nil }

  // MARK: Running out of blocks

  /// The micro-batch at hand waits until others have given up blocks.
  func waitForBlocks() {
    guard let pipeline, pipeline.short == nil else { return }
    pipeline.short = pipeline.current
  }

  /// Whether nobody is admitted now because some micro-batch waits for blocks.
  var isShort: Bool { pipeline?.short != nil }

  /// The request that loses its place first, of all that are in no step; nothing where the others' steps are to be
  /// waited for.
  func stagedVictim(_ pipeline: Pipeline, _ now: Int64, _ table: RequestTable) -> Int? {
    let byArrival = ranking.scheduler.line.isByArrival
    var last: (slot: Int, place: WaitingLine.Place)?
    var count = 0
    eachBatch { index, batch in
      guard !pipeline.isOnItsWay(index) else { return }
      let padding = batch.padding
      batch.order.visit { slot in
        guard !padding.contains(slot) else { return }
        count += 1
        let place =
          byArrival
          ? WaitingLine.Place(key: 0, order: Int64(pipeline.admission(of: slot)), row: slots[slot])
          : runningPlace(slot, now, table)
        if last.map({ $0.place < place }) ?? true { last = (slot, place) }
      }
    }
    return count > 1 || pipeline.flight.isEmpty ? last?.slot : nil
  }

  /// The request admitted last, of all that are in no step.
  func lastAdmitted() -> Int? {
    guard let pipeline else { return batch.order.last }
    var last: Int?
    eachBatch { index, batch in
      guard !pipeline.isOnItsWay(index) else { return }
      let padding = batch.padding
      batch.order.visit { slot in
        guard !padding.contains(slot) else { return }
        if last.map({ pipeline.admission(of: $0) < pipeline.admission(of: slot) }) ?? true { last = slot }
      }
    }
    return last
  }

  /// Each decoding sequence of the micro-batch at hand has got a token.
  mutating func serveBatch(_ table: RequestTable) {
    guard ranking.countsService else { return }
    var classes: [UInt16] = []
    batch.order.visit { slot in
      if table[slots[slot]].phase == .decoding { classes.append(table[slots[slot]].request.classIndex) }
    }
    for item in classes { ranking.decoded(item) }
  }

  // MARK: Ending

  /// Books the step that ends with the time of the stages.
  mutating func bookPassage(_ pipeline: Pipeline, _ metrics: inout ServingMetrics) {
    let landing = pipeline.land(batch.passage, nanojoules: batch.clock.nanojoules, running: running)
    metrics.addMicroBatch(batch.passage, landing, nanojoules: batch.clock.nanojoules, blocks: usedBlocks)
  }

  /// Time between the tokens that come out now and those before.
  var tokenGap: Int64 { Int64(clamping: batch.passage.end - Int128(batch.previousEnd) * 1000) }

  /// Every step in progress is cut off.
  mutating func breakOffAll(_ pipeline: Pipeline, now: Int64, _ table: RequestTable, _ metrics: inout ServingMetrics) {
    metrics.add(pipeline.breakOff(now: now, running: running))
    for index in pipeline.parked.indices {
      turn(to: index)
      guard batch.clock.isBusy else { continue }
      if batch.clock.isDecoding {
        pool.give(batch.isSpeculative ? speculativeBlocks(table) : batch.decodes.blocksNeeded)
      }
      metrics.addBroken(batch.passage, batch.clock.part(until: now), of: batch.clock.picoseconds)
    }
  }
}
