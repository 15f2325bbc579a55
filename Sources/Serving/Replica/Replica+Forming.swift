import Execution
import ModelGraph
import Quantities
import Workloads

/// A step while it is put together; each replica has one, and begins it anew.
final class FormingStep {
  @exclusivity(unchecked) var shape = StepShape()
  /// Prompt tokens it may still take.
  @exclusivity(unchecked) var budget = 0
  @exclusivity(unchecked) var now: Int64 = 0
  /// Blocks and adapters to copy before it can run.
  @exclusivity(unchecked) var copiedBlocks = 0
  @exclusivity(unchecked) var loadedAdapters = 0
  /// Whether somebody lost its place while it was formed; then nobody new is admitted.
  @exclusivity(unchecked) var hasPreempted = false

  func begin(budget: Int, now: Int64) {
    shape = StepShape()
    self.budget = budget
    self.now = now
    copiedBlocks = 0
    loadedAdapters = 0
    hasPreempted = false
  }
}

extension Replica {
  /// Forms the next step, takes the blocks it needs, and begins it.
  /// - Returns: Whether there is one.
  mutating func beginStep(now: Int64, _ table: RequestTable) -> Bool {
    guard !isIdle else { return false }
    defersArrivals = false
    waiting.refresh()
    return pipeline == nil ? formStep(now: now, table) : beginMicroBatch(now: now, table)
  }

  /// Forms a step of the batch at hand, and begins it.
  mutating func formStep(now: Int64, _ table: RequestTable) -> Bool {
    let step = forming
    step.begin(budget: limits.maxBatchedTokens, now: now)
    form(step, table)
    guard step.shape.tokens > 0 else { return false }
    begin(step)
    return true
  }

  private mutating func form(_ step: FormingStep, _ table: RequestTable) {
    if ranking.scheduler.preempts { yieldPlaces(step, table) }
    if mayBeginSequences {
      if !received.isEmpty { seatReceived(step, table) }
      if hostBlocks > 0, !isShort { resumeSwapped(step, table) }
    }
    switch batching.mix {
    case .chunked, .mixed:
      guard takeDecodes(step, table) else { return waitForBlocks() }
      takePrompts(step, table)
    case .prefillFirst, .static:
      takePrompts(step, table)
      if step.shape.tokens > 0 {
        letDecodesWait(table)
      } else if !takeDecodes(step, table) {
        return waitForBlocks()
      }
    }
    while step.shape.tokens == 0, step.hasPreempted, !received.isEmpty, !freeSlots.isEmpty {
      // Who lost their places made room for caches that have come.
      let before = received.count
      seatReceived(step, table)
      guard received.count < before else { break }
      guard takeDecodes(step, table) else { return waitForBlocks() }
    }
  }

  /// A static batch is joined by nobody once it has begun.
  private var mayBeginSequences: Bool { !batching.isStatic || batch.order.count == 0 }

  private mutating func begin(_ step: FormingStep) {
    if heat != nil { settleHeat(now: step.now) }
    if let pipeline { return begin(step, pipeline) }
    let cost = costs.cost(hasSpeculation ? priced(step.shape) : step.shape)
    var extra = costs.copying(
      options.swapTime * Double(step.copiedBlocks) + options.adapterLoad * Double(step.loadedAdapters))
    if hasSpeculation { extra.add(drafting(step.shape)) }
    if step.shape.prefillTokens == 0, !step.hasPreempted, step.shape.decodeQueries == 1 {
      beginDecodes(now: step.now, extra: extra, cost)
    } else {
      let whole = StepTable.Cost(
        picoseconds: cost.picoseconds + extra.picoseconds, nanojoules: cost.nanojoules + extra.nanojoules)
      batch.clock.begin(now: step.now, whole, decodes: step.shape.decodeSequences > 0)
    }
  }

  /// Copies and drafts hold up the first stage; those of a draft model go through its own stages before.
  private mutating func begin(_ step: FormingStep, _ pipeline: Pipeline) {
    var extra = pipeline.costs.copying(
      options.swapTime * Double(step.copiedBlocks) + options.adapterLoad * Double(step.loadedAdapters))
    if hasSpeculation { extra.add(drafting(step.shape)) }
    send(hasSpeculation ? priced(step.shape) : step.shape, pipeline, extra: extra, now: step.now)
  }

  // MARK: Decodes

  /// - Returns: Whether the decodes have the blocks they need; with stages, others may have to give them up first.
  private mutating func takeDecodes(_ step: FormingStep, _ table: RequestTable) -> Bool {
    while decodeBlocks(table) > pool.available {
      if let slot = batch.padding.last {
        retire(slot, table)
      } else if running == 1, let slot = batch.order.last, detach(slot, table) {
        continue
      } else if let slot = victim(step.now, table) {
        preempt(slot, step, table)
      } else {
        break
      }
    }
    if isStaged, decodeBlocks(table) > pool.available { return false }
    pool.take(decodeBlocks(table))
    batch.isSpeculative = hasSpeculation && speculates
    step.shape.decodeSequences = batch.decodes.count
    step.shape.decodeContext = batch.decodes.context
    if batch.isSpeculative, let speculation = options.speculation {
      step.shape.decodeQueries = 1 + speculation.verified
    }
    step.budget -= step.shape.decodeTokens
    return true
  }

  /// Blocks that the next decode step may fill.
  func decodeBlocks(_ table: RequestTable) -> Int {
    hasSpeculation && speculates ? speculativeBlocks(table) : batch.decodes.blocksNeeded
  }

  /// Caches that have come are decoded as soon as there are slots.
  private mutating func seatReceived(_ step: FormingStep, _ table: RequestTable) {
    while let row = received.first, let slot = openSlot, adapters(admit: row, step, table) {
      received.removeFirst()
      freeSlots.removeLast()
      seat(row, slot, table)
      resume(slot, table)
    }
  }

  /// A sequence that has had tokens before decodes again: its next gap reaches back to the newest of them.
  private mutating func resume(_ slot: Int, _ table: RequestTable) {
    join(slot, table)
    if batch.decodesWait { tokenTimes[slot] = table[slots[slot]].lastToken } else { batch.late.append(slot) }
  }

  mutating func seat(_ row: Int32, _ slot: Int, _ table: RequestTable) {
    slots[slot] = row
    table[row].slot = Int32(slot)
    table[row].generatedBefore = table[row].generated
    append(slot)
    tokenTimes[slot] = -1
  }

  /// A slot is taken in the batch at hand.
  mutating func append(_ slot: Int) {
    batch.order.append(slot)
    pipeline?.seat(slot)
  }

  // MARK: Prompts

  private mutating func takePrompts(_ step: FormingStep, _ table: RequestTable) {
    let allGoOn = continuePrompts(step, table)
    if !allGoOn { waitForBlocks() }
    guard allGoOn, !step.hasPreempted else { return }
    let isRefilled = batching.refill < 1 && Double(batch.order.count) >= batching.refill * Double(limits.batchSequences)
    if mayBeginSequences, !isShort, !isRefilled { admit(step, table) }
  }

  /// Gives prompts in work their next chunks.
  /// - Returns: Whether none waits for blocks; while one does, nobody is admitted past it.
  private mutating func continuePrompts(_ step: FormingStep, _ table: RequestTable) -> Bool {
    var index = 0
    while index < batch.prefilling.count, step.budget > 0 {
      let slot = batch.prefilling[index]
      let live = table[slots[slot]]
      let tokens = chunk(of: live.target - live.computed, step)
      let needed = limits.blocks(for: live.computed + tokens) - live.sharedBlocks - live.blocks
      while needed > pool.available, let last = lastAdmitted(), last != slot, !isInStep(last, step) {
        preempt(last, step, table)
      }
      if needed > pool.available, running == 1, detach(slot, table) { continue }
      // The last one waits for the others to finish; nobody after it could go on either.
      guard needed <= pool.available else { return false }
      take(slot, tokens, needed, step, table)
      index += 1
    }
    return true
  }

  private func chunk(of tokens: Int, _ step: FormingStep) -> Int {
    let whole = min(tokens, batching.chunk ?? tokens)
    return batching.isChunked ? min(step.budget, whole) : tokens
  }

  /// Decodes of this step keep what they were given; only requests without a part in it may be preempted for prompts.
  private func isInStep(_ slot: Int, _ step: FormingStep) -> Bool {
    if let pipeline, pipeline.batch(of: slot) != pipeline.current { return false }
    if batch.prefilling.contains(slot) { return batch.chunks.contains { $0.slot == slot } }
    return step.shape.decodeSequences > 0
  }

  /// Takes requests from the waiting line while tokens, slots and blocks last.
  private mutating func admit(_ step: FormingStep, _ table: RequestTable) {
    while step.budget > 0, let row = nextWaiting(step.now, table), let slot = openSlot {
      guard !comesTooLate(table[row].arrival, step) else {
        defersArrivals = true
        return
      }
      guard !table[row].isSwapped, let offer = offer(row, step, table), adapters(admit: row, step, table) else {
        return
      }
      waiting.removeNext(row, tenant: ranking.tenant(table[row].request.classIndex))
      table[row].isInLine = false
      // Samples of one prompt have their slots from the start.
      freeSlots.removeLast()
      if offer.slots > 1 { setAside(offer.slots - 1, for: row) }
      seat(row, slot, table)
      enter(row, slot, offer, step, table)
    }
  }

  private mutating func setAside(_ count: Int, for row: Int32) {
    sampleSlots[row] = Array(freeSlots.suffix(count))
    freeSlots.removeLast(count)
    batch.setAside += count
  }

  /// What a waiting request would be given.
  struct Offer {
    /// Tokens of it in the prefix cache, and the blocks and node that hold them.
    var cached: Int
    var sharedBlocks: Int
    var node: Int32
    var tokens: Int
    var blocks: Int
    /// Blocks for the samples' own copies of the prompt's last block.
    var ends: Int
    var slots: Int
    /// Blocks that must be at hand: its own, those that nobody else may have once it uses them, and the watermark.
    var needed: Int
  }

  /// - Returns: Nothing when it does not fit into this step.
  private func offer(_ row: Int32, _ step: FormingStep, _ table: RequestTable) -> Offer? {
    let offer = wish(row, step, table)
    let isTooLong = !batching.isChunked && offer.tokens > step.budget && step.shape.prefillTokens > 0
    guard !isTooLong, offer.needed <= pool.available, offer.slots <= openSlots else { return nil }
    return limits.reservesAnswers && !hasRoomForAnswer(table[row], table) ? nil : offer
  }

  /// What a waiting request asks for, whether it is to be had or not.
  func wish(_ row: Int32, _ step: FormingStep, _ table: RequestTable) -> Offer {
    // The last token of a prompt is computed even when it is in cache: its output is the first token.
    let match = pool.cache.match(table[row].request.prompt, atMost: table[row].target - 1)
    let offer = wish(row, match, step, table)
    guard match.node >= 0, offer.needed > pool.available else { return offer }
    // Held prefixes are kept whole, also what goes on after this prompt's part; where that leaves too little room, the
    // prompt does without.
    return wish(row, (blocks: 0, node: -1), step, table)
  }

  private func wish(
    _ row: Int32, _ match: (blocks: Int, node: Int32), _ step: FormingStep, _ table: RequestTable
  ) -> Offer {
    let target = table[row].target
    let cached = match.blocks * limits.blockSize
    let tokens = chunk(of: target - cached, step)
    let isWhole = table[row].generated == 0 && table[row].family < 0
    let samples = isWhole ? Int(table[row].request.samples) : 1
    let ends = min(target, limits.keptTokens) % limits.blockSize == 0 ? 0 : samples - 1
    let blocks = limits.blocks(for: cached + tokens) - match.blocks
    // Blocks that nobody uses are no longer to be had once this request uses them.
    let claimed = match.node >= 0 ? pool.cache.unusedBlocks(on: match.node) : 0
    return Offer(
      cached: cached, sharedBlocks: match.blocks, node: match.node, tokens: tokens, blocks: blocks, ends: ends,
      slots: samples, needed: blocks + ends + claimed + limits.watermarkBlocks)
  }

  /// Whether the cache holds a request's whole answer beside those of the running ones.
  private func hasRoomForAnswer(_ live: LiveRequest, _ table: RequestTable) -> Bool {
    let promised = slots.reduce(0) { $1 < 0 ? $0 : $0 + mostBlocks(table[$1]) }
    return promised + mostBlocks(live) <= limits.blocks
  }

  /// Blocks that a request's whole prompt and answer take; the last token is never stored.
  private func mostBlocks(_ live: LiveRequest) -> Int { limits.blocks(for: live.inputTokens + live.outputTokens - 1) }

  /// Whether a step that was put together while the one before ran could not know of a request yet.
  private func comesTooLate(_ arrival: Int64, _ step: FormingStep) -> Bool {
    guard limits.schedulesAhead, !isStaged, arrival > batch.clock.start, batch.clock.end == step.now else {
      return false
    }
    return (batch.decodes.count > 0 || step.shape.tokens > 0) && arrival > startOfLastStep
  }

  private mutating func adapters(admit row: Int32, _ step: FormingStep, _ table: RequestTable) -> Bool {
    guard options.adapterSlots > 0 else { return true }
    guard let loads = adapters.take(table[row].request.adapter) else { return false }
    if loads {
      step.loadedAdapters += 1
      counts.adapterLoads += 1
    }
    return true
  }

  private mutating func enter(
    _ row: Int32, _ slot: Int, _ offer: Offer, _ step: FormingStep, _ table: RequestTable
  ) {
    if offer.node >= 0 { pool.cache.hold(offer.node) }
    table[row].computed = offer.cached
    backlog.drop(offer.cached, now: step.now)
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
    batch.prefilling.append(slot)
    take(slot, offer.tokens, offer.blocks, step, table)
  }

  /// Copies caches back from host memory while whole ones fit beside what the running requests need next.
  private mutating func resumeSwapped(_ step: FormingStep, _ table: RequestTable) {
    while let row = nextWaiting(step.now, table), table[row].isSwapped, let slot = openSlot {
      let blocks = limits.blocks(for: table[row].computed)
      guard blocksToResume(table[row]) + decodeBlocks(table) <= pool.available, adapters(admit: row, step, table)
      else { return }
      waiting.removeNext(row, tenant: ranking.tenant(table[row].request.classIndex))
      table[row].isInLine = false
      freeSlots.removeLast()
      seat(row, slot, table)
      swapIn(row, slot, blocks, step, table)
    }
  }

  /// Blocks for a cache that comes back, and for the tokens it may gain in the next step.
  func blocksToResume(_ live: LiveRequest) -> Int {
    let gain = options.speculation.map { min($0.depth + 1, live.outputTokens - live.generated) } ?? 1
    return limits.blocks(for: live.computed + gain) + limits.watermarkBlocks
  }

  private mutating func swapIn(
    _ row: Int32, _ slot: Int, _ blocks: Int, _ step: FormingStep, _ table: RequestTable
  ) {
    pool.take(blocks)
    hostBlocks -= blocks
    step.copiedBlocks += blocks
    counts.swapsIn += 1
    let decodes = table[row].resumesDecoding
    table[row].isSwapped = false
    table[row].blocks = blocks
    if decodes {
      resume(slot, table)
    } else {
      table[row].phase = .prefilling
      batch.prefilling.append(slot)
    }
  }

  private mutating func take(
    _ slot: Int, _ tokens: Int, _ needed: Int, _ step: FormingStep, _ table: RequestTable
  ) {
    let row = slots[slot]
    let computed = table[row].computed
    let last = computed + tokens == table[row].target
    step.shape.addPrefill(sequences: 1, tokens: tokens, start: computed, last: last, spans: costs.spans)
    batch.chunks.append(Chunk(slot: slot, tokens: tokens))
    table[row].blocks += needed
    pool.take(needed)
    step.budget -= tokens
    ranking.prefilled(table[row].request.classIndex, tokens: tokens)
  }

  // MARK: The line

  mutating func nextWaiting(_ now: Int64, _ table: RequestTable) -> Int32? {
    if waiting.isEmpty { return nil }
    // The common case, without a copy of what ranks the others.
    if let head = waiting.headByArrival, table[head].phase == .waiting { return head }
    let ranking = self.ranking
    return waiting.next(
      isWaiting: { row in
        if table[row].phase == .waiting { return true }
        table[row].isInLine = false
        if table[row].phase == .ended { table.remove(row) }
        return false
      }, place: { row in ranking.place(table[row], row: row, now: now) })
  }
}
