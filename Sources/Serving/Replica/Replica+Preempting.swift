import Execution
import ModelGraph

extension Replica {
  /// The running request that loses its place first: the one admitted last, or the one with the highest key.
  func victim(_ now: Int64, _ table: RequestTable) -> Int? {
    if let pipeline { return stagedVictim(pipeline, now, table) }
    return ranking.scheduler.line.isByArrival ? batch.order.last : lastRanked(now, table)?.slot
  }

  private func lastRanked(_ now: Int64, _ table: RequestTable) -> (slot: Int, place: WaitingLine.Place)? {
    var last: (slot: Int, place: WaitingLine.Place)?
    batch.order.visit { slot in
      guard !batch.padding.contains(slot) else { return }
      let place = runningPlace(slot, now, table)
      if last.map({ $0.place < place }) ?? true { last = (slot, place) }
    }
    return last
  }

  func runningPlace(_ slot: Int, _ now: Int64, _ table: RequestTable) -> WaitingLine.Place {
    let row = slots[slot]
    let live = table[row]
    return ranking.place(live, row: row, generated: generated(live), computed: cached(slot, table), now: now)
  }

  // MARK: Places for better ones

  /// A running request that may have to make room, and what that gives.
  private struct Yielding {
    var slot: Int
    var place: WaitingLine.Place
    var blocks: Int
  }

  /// Running requests make room for the first that waits, if it has a lower key and does not fit beside them.
  ///
  /// A request keeps its place until it has got a token there, and nobody has to go in vain: not while a prompt in
  /// work would take the room, and not where it would still be too small. So whatever the keys, every change of places
  /// is paid for with a token, and a run comes to an end.
  /// - Complexity: O(running requests) while the first one that waits does not fit.
  mutating func yieldPlaces(_ step: FormingStep, _ table: RequestTable) {
    guard !batching.isStatic, !isShort, batch.prefilling.isEmpty, received.isEmpty,
      batch.decodes.count <= limits.maxBatchedTokens,
      let row = nextWaiting(step.now, table)
    else { return }
    let wanted = room(for: row, step, table)
    guard !has(wanted, beside: [], table) else { return }
    let key = ranking.place(table[row], row: row, now: step.now).key
    var others = yielding(to: key, step.now, table)
    guard has(wanted, beside: others, table) else { return }
    others.sort { $1.place < $0.place }
    var next = 0
    while !has(wanted, beside: [], table), next < others.count {
      preempt(others[next].slot, step, table)
      next += 1
    }
    step.hasPreempted = false
  }

  /// The slots and blocks that a waiting request needs to be let in.
  private func room(for row: Int32, _ step: FormingStep, _ table: RequestTable) -> (slots: Int, blocks: Int) {
    if table[row].isSwapped { return (1, blocksToResume(table[row])) }
    let wish = wish(row, step, table)
    return (wish.slots, wish.needed)
  }

  /// Whether there is room beside the decodes, once some requests have gone.
  private func has(
    _ wanted: (slots: Int, blocks: Int), beside others: [Yielding], _ table: RequestTable
  ) -> Bool {
    wanted.slots <= openSlots + others.count
      && wanted.blocks + decodeBlocks(table) <= others.reduce(pool.available) { $0 + $1.blocks }
  }

  private func yielding(to key: Double, _ now: Int64, _ table: RequestTable) -> [Yielding] {
    var found: [Yielding] = []
    batch.order.visit { slot in
      let live = table[slots[slot]]
      guard live.phase == .decoding, !live.isPadding, generated(live) > live.generatedBefore else { return }
      let place = runningPlace(slot, now, table)
      guard key < place.key else { return }
      let own = limits.blocks(for: batch.decodes.cached(slot)) - live.sharedBlocks
      found.append(Yielding(slot: slot, place: place, blocks: own))
    }
    return found
  }

  /// Takes a request out of the batch, frees its blocks and puts it at the head of the line.
  mutating func preempt(_ slot: Int, _ step: FormingStep, _ table: RequestTable) {
    let row = slots[slot]
    // The slots of other samples of a prompt are given up with its own, so it must begin again.
    let isSampled = sampleSlots[row] != nil
    leaveBatch(slot, now: step.now, table)
    let computed = table[row].computed
    let blocks = limits.blocks(for: computed)
    if options.preemption == .swap, computed > 0, !isSampled, hostBlocks + blocks <= options.swapBlocks {
      // Shared blocks are copied too: others may let them go meanwhile.
      step.copiedBlocks += blocks
      hostBlocks += blocks
      counts.swapsOut += 1
      table[row].isSwapped = true
    } else {
      table[row].computed = 0
    }
    releaseCache(row, table)
    table[row].preemptions += 1
    counts.preemptions += 1
    step.hasPreempted = true
    table[row].phase = .waiting
    wait(row, atHead: true, now: step.now, table)
  }

  /// A request's shared blocks become its own, so that what others added to the same prefix can go.
  /// - Returns: Whether it had any and could: caches on their way elsewhere may hold the same prefix.
  mutating func detach(_ slot: Int, _ table: RequestTable) -> Bool {
    let row = slots[slot]
    guard table[row].node >= 0 else { return false }
    let shared = table[row].sharedBlocks
    guard shared <= pool.available + pool.cache.blocksHeldAlone(table[row].node) else { return false }
    pool.give(pool.cache.release(table[row].node))
    pool.take(shared)
    table[row].blocks += shared
    table[row].sharedBlocks = 0
    table[row].node = -1
    return true
  }

  /// Frees a request's slot, with what has become of it written down.
  mutating func leaveBatch(_ slot: Int, now: Int64, _ table: RequestTable) {
    guard let pipeline else { return leave(slot, newest: now, now: now, table) }
    let (before, own) = (pipeline.current, pipeline.batch(of: slot))
    turn(to: own)
    leave(slot, newest: batch.newestToken, now: now, table)
    guard own != before else { return }
    endPadding(table)
    turn(to: before)
  }

  /// - Parameter newest: When the decodes' newest tokens came out.
  private mutating func leave(_ slot: Int, newest: Int64, now: Int64, _ table: RequestTable) {
    let row = slots[slot]
    if table[row].phase == .decoding {
      table[row].computed = batch.decodes.cached(slot)
      table[row].generated += batch.decodes.stepsSinceJoin(slot)
      if let index = batch.late.firstIndex(of: slot) {
        batch.late.remove(at: index)
      } else {
        table[row].lastToken = batch.decodesWait ? tokenTimes[slot] : newest
      }
      settleTrail(slot, table)
      batch.decodes.leave(slot: slot)
      ranking.left(table[row].request.classIndex)
      table[row].blocks = limits.blocks(for: table[row].computed) - table[row].sharedBlocks
    } else if let place = batch.prefilling.firstIndex(of: slot) {
      batch.prefilling.remove(at: place)
      backlog.drop(table[row].promptRest, now: now)
    }
    freeSlot(slot, table)
  }

  mutating func freeSlot(_ slot: Int, _ table: RequestTable) {
    let row = slots[slot]
    slots[slot] = -1
    freeSlots.append(slot)
    batch.order.remove(slot)
    if !sampleSlots.isEmpty, let others = sampleSlots.removeValue(forKey: row) {
      freeSlots.append(contentsOf: others)
      batch.setAside -= others.count
    }
    if options.adapterSlots > 0 { adapters.release(table[row].request.adapter) }
    table[row].slot = -1
  }

  /// Gives back a request's own blocks, and its hold on shared ones.
  mutating func releaseCache(_ row: Int32, _ table: RequestTable) {
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
