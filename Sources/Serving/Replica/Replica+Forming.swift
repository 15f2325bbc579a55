import Execution
import ModelGraph
import Quantities
import Workloads

/// A step while it is put together.
struct FormingStep {
  var shape = StepShape()
  /// Prompt tokens it may still take.
  var budget: Int
  var now: Int64
  /// Blocks and adapters to copy before it can run.
  var copiedBlocks = 0
  var loadedAdapters = 0
  /// Whether somebody lost its place while it was formed; then nobody new is admitted.
  var hasPreempted = false
}

extension Replica {
  /// Forms the next step, takes the blocks it needs, and begins it.
  /// - Returns: Whether there is one.
  mutating func beginStep(now: Int64, _ table: inout RequestTable) -> Bool {
    guard !isIdle else { return false }
    defersArrivals = false
    waiting.refresh()
    var step = FormingStep(budget: limits.maxBatchedTokens, now: now)
    if ranking.scheduler.preempts { yieldPlaces(&step, &table) }
    if !received.isEmpty { seatReceived(now: now, &table) }
    if hostBlocks > 0 { resumeSwapped(&step, &table) }
    switch batching.mix {
    case .chunked, .mixed:
      takeDecodes(&step, &table)
      takePrompts(&step, &table)
    case .prefillFirst, .static:
      takePrompts(&step, &table)
      if step.shape.tokens == 0 { takeDecodes(&step, &table) } else { letDecodesWait(&table) }
    }
    guard step.shape.tokens > 0 else { return false }
    begin(step)
    return true
  }

  private mutating func begin(_ step: FormingStep) {
    let cost = costs.cost(step.shape)
    var extra = costs.copying(
      options.swapTime * Double(step.copiedBlocks) + options.adapterLoad * Double(step.loadedAdapters))
    if options.speculation != nil { extra.add(drafting(step.shape)) }
    if step.shape.prefillTokens == 0, !step.hasPreempted, step.shape.decodeQueries == 1 {
      beginDecodes(now: step.now, extra: extra, cost)
    } else {
      let whole = StepTable.Cost(
        picoseconds: cost.picoseconds + extra.picoseconds, nanojoules: cost.nanojoules + extra.nanojoules)
      clock.begin(now: step.now, whole, decodes: step.shape.decodeSequences > 0)
    }
  }

  // MARK: Decodes

  private mutating func takeDecodes(_ step: inout FormingStep, _ table: inout RequestTable) {
    while decodeBlocks(table) > pool.available {
      if let slot = padding.last {
        retire(slot, &table)
      } else if let slot = victim(step.now, table) {
        preempt(slot, &step, &table)
      } else {
        break
      }
    }
    pool.take(decodeBlocks(table))
    isSpeculative = speculates
    step.shape.decodeSequences = decodes.count
    step.shape.decodeContext = decodes.context
    if isSpeculative, let speculation = options.speculation { step.shape.decodeQueries = 1 + speculation.verified }
    step.budget -= step.shape.decodeTokens
  }

  /// Blocks that the next decode step may fill.
  private func decodeBlocks(_ table: RequestTable) -> Int {
    options.speculation != nil && speculates ? speculativeBlocks(table) : decodes.blocksNeeded
  }

  /// Caches that have come are decoded as soon as there are slots.
  private mutating func seatReceived(now: Int64, _ table: inout RequestTable) {
    while let row = received.first, let slot = freeSlots.popLast() {
      received.removeFirst()
      seat(row, slot, &table)
      join(slot, &table)
    }
  }

  mutating func seat(_ row: Int32, _ slot: Int, _ table: inout RequestTable) {
    slots[slot] = row
    table[row].slot = Int32(slot)
    order.append(slot)
    tokenTimes[slot] = -1
  }

  // MARK: Prompts

  private mutating func takePrompts(_ step: inout FormingStep, _ table: inout RequestTable) {
    let allGoOn = continuePrompts(&step, &table)
    guard allGoOn, !step.hasPreempted else { return }
    let slots = limits.maxSequences
    let mayAdmit =
      switch batching.mix {
      case .static: order.count == 0
      default: batching.refill >= 1 || Double(order.count) < batching.refill * Double(slots)
      }
    if mayAdmit { admit(&step, &table) }
  }

  /// Gives prompts in work their next chunks.
  /// - Returns: Whether none waits for blocks; while one does, nobody is admitted past it.
  private mutating func continuePrompts(_ step: inout FormingStep, _ table: inout RequestTable) -> Bool {
    var index = 0
    while index < prefilling.count, step.budget > 0 {
      let slot = prefilling[index]
      let live = table[slots[slot]]
      let tokens = chunk(of: live.target - live.computed, step)
      let needed = limits.blocks(for: live.computed + tokens) - live.sharedBlocks - live.blocks
      while needed > pool.available, let last = order.last, last != slot, !isInStep(last, step) {
        preempt(last, &step, &table)
      }
      // The last one waits for the others to finish; nobody after it could go on either.
      guard needed <= pool.available else { return false }
      take(slot, tokens, needed, &step, &table)
      index += 1
    }
    return true
  }

  private func chunk(of tokens: Int, _ step: FormingStep) -> Int {
    let whole = min(tokens, batching.chunk ?? tokens)
    return batching.mix == .chunked ? min(step.budget, whole) : tokens
  }

  /// Decodes of this step keep what they were given; only requests without a part in it may be preempted for prompts.
  private func isInStep(_ slot: Int, _ step: FormingStep) -> Bool {
    if prefilling.contains(slot) { return chunks.contains { $0.slot == slot } }
    return step.shape.decodeSequences > 0
  }

  /// Takes requests from the waiting line while tokens, slots and blocks last.
  private mutating func admit(_ step: inout FormingStep, _ table: inout RequestTable) {
    while step.budget > 0, let row = nextWaiting(step.now, &table), let slot = freeSlots.last {
      guard !comesTooLate(table[row], step) else {
        defersArrivals = true
        return
      }
      guard !table[row].isSwapped, let offer = offer(row, step, table), adapters(admit: row, &step, table) else {
        return
      }
      waiting.removeNext(row, tenant: ranking.tenant(table[row]))
      table[row].isInLine = false
      // Samples of one prompt have their slots from the start.
      if offer.slots > 1 { sampleSlots[row] = Array(freeSlots.dropLast().suffix(offer.slots - 1)) }
      freeSlots.removeLast(offer.slots)
      seat(row, slot, &table)
      enter(row, slot, offer, &step, &table)
    }
  }

  /// What a waiting request would be given.
  private struct Offer {
    /// Tokens of it in the prefix cache, and the blocks and node that hold them.
    var cached: Int
    var sharedBlocks: Int
    var node: Int32
    var tokens: Int
    var blocks: Int
    /// Blocks for the samples' own copies of the prompt's last block.
    var ends: Int
    var slots: Int
  }

  /// - Returns: Nothing when it does not fit into this step.
  private func offer(_ row: Int32, _ step: FormingStep, _ table: RequestTable) -> Offer? {
    let live = table[row]
    // The last token of a prompt is computed even when it is in cache: its output is the first token.
    let match = pool.cache.match(live.request.prompt, atMost: live.target - 1)
    let cached = match.blocks * limits.blockSize
    let rest = live.target - cached
    if batching.mix != .chunked, rest > step.budget, step.shape.prefillTokens > 0 { return nil }
    let tokens = chunk(of: rest, step)
    let samples = live.generated == 0 && live.family < 0 ? Int(live.request.samples) : 1
    let ends = live.target % limits.blockSize == 0 ? 0 : samples - 1
    let blocks = limits.blocks(for: cached + tokens) - match.blocks
    // Blocks that nobody uses are no longer to be had once this request uses them.
    let claimed = match.node >= 0 ? pool.cache.unusedBlocks(on: match.node) : 0
    guard blocks + ends + claimed + limits.watermarkBlocks <= pool.available, samples <= freeSlots.count else {
      return nil
    }
    guard !limits.reservesAnswers || promisedBlocks(table) + mostBlocks(live) <= limits.blocks else { return nil }
    return Offer(
      cached: cached, sharedBlocks: match.blocks, node: match.node, tokens: tokens, blocks: blocks, ends: ends,
      slots: samples)
  }

  /// Blocks that a request's whole prompt and answer take; the last token is never stored.
  private func mostBlocks(_ live: LiveRequest) -> Int { limits.blocks(for: live.inputTokens + live.outputTokens - 1) }

  /// Blocks that the running requests will have taken when they end.
  private func promisedBlocks(_ table: RequestTable) -> Int {
    slots.reduce(0) { $1 < 0 ? $0 : $0 + mostBlocks(table[$1]) }
  }

  /// Whether a step that was put together while the one before ran could not know of a request yet.
  private func comesTooLate(_ live: LiveRequest, _ step: FormingStep) -> Bool {
    guard limits.schedulesAhead, clock.end == step.now, decodes.count > 0 || step.shape.tokens > 0 else { return false }
    return live.arrival > lastStepStart
  }

  private mutating func adapters(admit row: Int32, _ step: inout FormingStep, _ table: RequestTable) -> Bool {
    guard options.adapterSlots > 0 else { return true }
    guard let loads = adapters.take(table[row].request.adapter) else { return false }
    if loads {
      step.loadedAdapters += 1
      counts.adapterLoads += 1
    }
    return true
  }

  private mutating func enter(
    _ row: Int32, _ slot: Int, _ offer: Offer, _ step: inout FormingStep, _ table: inout RequestTable
  ) {
    if offer.node >= 0 { pool.cache.hold(offer.node) }
    table[row].computed = offer.cached
    table[row].sharedBlocks = offer.sharedBlocks
    table[row].node = offer.node
    if table[row].firstScheduled < 0 {
      table[row].firstScheduled = step.now
      table[row].hitTokens = offer.cached
      counts.promptTokens += table[row].inputTokens
      counts.hitTokens += offer.cached
    }
    table[row].phase = .prefilling
    table[row].endBlocks = offer.ends
    pool.take(offer.ends)
    prefilling.append(slot)
    take(slot, offer.tokens, offer.blocks, &step, &table)
  }

  /// Copies caches back from host memory while whole ones fit beside what the running requests need next.
  private mutating func resumeSwapped(_ step: inout FormingStep, _ table: inout RequestTable) {
    while let row = nextWaiting(step.now, &table), table[row].isSwapped, let slot = freeSlots.last {
      let blocks = limits.blocks(for: table[row].computed)
      guard blocks + decodes.blocksNeeded + 1 + limits.watermarkBlocks <= pool.available,
        adapters(admit: row, &step, table)
      else { return }
      waiting.removeNext(row, tenant: ranking.tenant(table[row]))
      table[row].isInLine = false
      freeSlots.removeLast()
      seat(row, slot, &table)
      swapIn(row, slot, blocks, &step, &table)
    }
  }

  private mutating func swapIn(
    _ row: Int32, _ slot: Int, _ blocks: Int, _ step: inout FormingStep, _ table: inout RequestTable
  ) {
    pool.take(blocks)
    hostBlocks -= blocks
    step.copiedBlocks += blocks
    counts.swapsIn += 1
    table[row].isSwapped = false
    table[row].blocks = blocks
    if table[row].generated == 0 || table[row].computed < table[row].target - 1 {
      table[row].phase = .prefilling
      prefilling.append(slot)
    } else {
      join(slot, &table)
    }
  }

  private mutating func take(
    _ slot: Int, _ tokens: Int, _ needed: Int, _ step: inout FormingStep, _ table: inout RequestTable
  ) {
    let row = slots[slot]
    let live = table[row]
    let last = live.computed + tokens == live.target
    step.shape.addPrefill(sequences: 1, tokens: tokens, start: live.computed, last: last, spans: costs.spans)
    chunks.append((slot, tokens))
    table[row].blocks += needed
    pool.take(needed)
    step.budget -= tokens
    ranking.prefilled(live, tokens: tokens)
  }

  // MARK: The line

  mutating func nextWaiting(_ now: Int64, _ table: inout RequestTable) -> Int32? {
    if waiting.isEmpty { return nil }
    // The common case, without a copy of what ranks the others.
    if let head = waiting.headByArrival, table[head].phase == .waiting { return head }
    let ranking = self.ranking
    return waiting.next(
      isWaiting: { row in
        if table[row].phase == .waiting { return true }
        table.remove(row)
        return false
      }, place: { row in ranking.place(table[row], row: row, now: now) })
  }
}
