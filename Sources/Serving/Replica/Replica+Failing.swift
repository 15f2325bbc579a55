import Execution

extension Replica {
  /// The replica fails: the step in progress is cut off, and every cache is lost. What decode steps before it gave stays.
  /// - Returns: The rows that were here and have not ended, waiting and without cache, in order of arrival.
  mutating func fail(now: Int64, _ table: RequestTable, _ metrics: inout ServingMetrics) -> [Int32] {
    var last = now
    if let pipeline {
      breakOffAll(pipeline, now: now, table, &metrics)
    } else {
      last = breakOff(now: now, table, &metrics)
    }
    endBatches { replica in while let slot = replica.batch.padding.last { replica.retire(slot, table) } }
    var rows = waitingRows(table) + received + departing
    for slot in slots.indices where slots[slot] >= 0 {
      rows.append(slots[slot])
      leaveBatch(slot, now: last, table)
    }
    for row in rows { lose(row, table) }
    received.removeAll()
    departing.removeAll()
    givenUp.removeAll(keepingCapacity: true)
    waiting = WaitingLine(ranking.scheduler.line, tenants: ranking.tenants)
    backlog.drop(backlog.tokens, now: now)
    hostBlocks = 0
    endBatches { replica in
      replica.batch.chunks.removeAll()
      replica.batch.decodesWait = false
      replica.batch.clock = ReplicaClock()
    }
    for tenant in tenantRequests.indices { tenantRequests[tenant] = 0 }
    forgetCaches()
    return rows.sorted { (table[$0].id, $0) < (table[$1].id, $1) }
  }

  /// Does something to every micro-batch.
  private mutating func endBatches(_ body: (inout Replica) -> Void) {
    guard let pipeline else { return body(&self) }
    for index in pipeline.parked.indices {
      turn(to: index)
      body(&self)
    }
  }

  /// Drops what nobody uses: prefixes and adapters.
  mutating func forgetCaches() {
    pool.give(pool.cache.clear())
    adapters = AdapterSlots(capacity: options.adapterSlots)
  }

  private mutating func waitingRows(_ table: RequestTable) -> [Int32] {
    waiting.rows { row in
      table[row].isInLine = false
      if table[row].phase == .waiting { return true }
      if table[row].phase == .ended { table.remove(row) }
      return false
    }
  }

  private mutating func lose(_ row: Int32, _ table: RequestTable) {
    releaseCache(row, table)
    table[row].computed = 0
    table[row].isSwapped = false
    table[row].phase = .waiting
  }

  // MARK: The step in progress

  /// Books the decode steps of a span that are over, and the time and energy of the one that is not.
  /// - Returns: When the newest tokens came out.
  private mutating func breakOff(
    now: Int64, _ table: RequestTable, _ metrics: inout ServingMetrics
  ) -> Int64 {
    guard batch.clock.isBusy else { return now }
    cut(at: now)
    if let span = batch.clock.span, span.steps > 1 {
      let over = costs.span(sequences: span.sequences, context: span.context, limit: span.steps - 1)
      let last = costs.span(
        sequences: span.sequences, context: span.context + Int64(span.sequences * over.steps), limit: 1)
      batch.clock.shorten(to: over)
      let end = batch.clock.end
      endStep(now: end, table, &metrics)
      batch.clock.begin(
        now: end, StepTable.Cost(picoseconds: last.picoseconds, nanojoules: last.nanojoules), decodes: true)
    } else if batch.clock.isDecoding {
      // The blocks that the step was to fill.
      pool.give(batch.isSpeculative ? speculativeBlocks(table) : batch.decodes.blocksNeeded)
    }
    metrics.addBrokenStep(batch.clock, until: now, running: running)
    return batch.clock.start
  }
}
