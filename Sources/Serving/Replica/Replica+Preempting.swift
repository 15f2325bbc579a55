import Execution
import ModelGraph

extension Replica {
  /// The running request that loses its place first: the one admitted last, or the one with the highest key.
  func victim(_ now: Int64, _ table: RequestTable) -> Int? {
    ranking.scheduler.line.isByArrival ? order.last : lastRanked(now, table)?.slot
  }

  private func lastRanked(_ now: Int64, _ table: RequestTable) -> (slot: Int, place: WaitingLine.Place)? {
    var last: (slot: Int, place: WaitingLine.Place)?
    order.visit { slot in
      let row = slots[slot]
      guard row >= 0, sampleSlots[row] == nil, !padding.contains(slot) else { return }
      let place = runningPlace(row, now, table)
      if last.map({ $0.place < place }) ?? true { last = (slot, place) }
    }
    return last
  }

  private func runningPlace(_ row: Int32, _ now: Int64, _ table: RequestTable) -> WaitingLine.Place {
    let live = table[row]
    let view = ranking.view(live, generated: generated(live), now: now)
    return WaitingLine.Place(key: ranking.scheduler.key(view), order: Int64(live.id), row: row)
  }

  /// Running requests make room while one that waits has a lower key and does not fit beside them.
  mutating func yieldPlaces(_ step: inout FormingStep, _ table: inout RequestTable) {
    while let row = nextWaiting(step.now, &table), let last = lastRanked(step.now, table),
      ranking.place(table[row], row: row, now: step.now).key < last.place.key, !fits(row, table)
    {
      preempt(last.slot, &step, &table)
      step.hasPreempted = false
    }
  }

  /// Whether a waiting request's first chunk could be admitted now.
  private func fits(_ row: Int32, _ table: RequestTable) -> Bool {
    let first = min(table[row].target, limits.maxBatchedTokens)
    let needed = limits.blocks(for: first) + decodes.blocksNeeded + limits.watermarkBlocks
    return !freeSlots.isEmpty && needed <= pool.available
  }

  /// Takes a request out of the batch, frees its blocks and puts it at the head of the line.
  mutating func preempt(_ slot: Int, _ step: inout FormingStep, _ table: inout RequestTable) {
    let row = slots[slot]
    let wasDecoding = table[row].phase == .decoding
    leaveBatch(slot, now: step.now, &table)
    let computed = table[row].computed
    let blocks = limits.blocks(for: computed)
    if options.preemption == .swap, computed > 0, hostBlocks + blocks <= options.swapBlocks {
      step.copiedBlocks += table[row].blocks
      hostBlocks += blocks
      counts.swapsOut += 1
      table[row].isSwapped = true
      if !wasDecoding, computed == table[row].target { table[row].computed = computed - 1 }
    } else {
      table[row].computed = 0
    }
    releaseCache(row, &table)
    table[row].preemptions += 1
    counts.preemptions += 1
    step.hasPreempted = true
    table[row].phase = .waiting
    wait(row, atHead: true, now: step.now, &table)
  }

  /// Frees a request's slot, with what has become of it written down.
  mutating func leaveBatch(_ slot: Int, now: Int64, _ table: inout RequestTable) {
    let row = slots[slot]
    if table[row].phase == .decoding {
      table[row].computed = decodes.cached(slot)
      table[row].generated += decodes.stepsSinceJoin(slot)
      table[row].lastToken = decodesWait ? tokenTimes[slot] : now
      decodes.leave(slot: slot)
      ranking.left(table[row])
      table[row].blocks = limits.blocks(for: table[row].computed) - table[row].sharedBlocks
    } else if let place = prefilling.firstIndex(of: slot) {
      prefilling.remove(at: place)
    }
    freeSlot(slot, &table)
  }

  mutating func freeSlot(_ slot: Int, _ table: inout RequestTable) {
    let row = slots[slot]
    slots[slot] = -1
    freeSlots.append(slot)
    order.remove(slot)
    if let others = sampleSlots.removeValue(forKey: row) { freeSlots.append(contentsOf: others) }
    if options.adapterSlots > 0 { adapters.release(table[row].request.adapter) }
    table[row].slot = -1
  }

  /// Gives back a request's own blocks, and its hold on shared ones.
  mutating func releaseCache(_ row: Int32, _ table: inout RequestTable) {
    pool.give(table[row].blocks + table[row].endBlocks)
    if table[row].node >= 0 { pool.give(pool.cache.release(table[row].node)) }
    table[row].blocks = 0
    table[row].endBlocks = 0
    table[row].sharedBlocks = 0
    table[row].node = -1
  }
}

extension LineOrder {
  var isByArrival: Bool { if case .arrival = self { true } else { false } }
}
