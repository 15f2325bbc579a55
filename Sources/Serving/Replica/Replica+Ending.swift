import Execution
import ModelGraph

extension Replica {
  /// Books the tokens of the step, or the steps, that end now.
  ///
  /// Requests whose answer is whole are left in ``ended``, those whose prompt moves on in ``handedOver``.
  mutating func endStep(now: Int64, _ table: RequestTable, _ metrics: inout ServingMetrics) {
    ended.removeAll()
    if let pipeline {
      bookPassage(pipeline, &metrics)
    } else {
      metrics.addSteps(
        batch.clock, running: running, blocks: usedBlocks,
        growth: batch.decodes.blockSteps(inNext: batch.clock.span?.steps ?? 1))
    }
    if batch.clock.isDecoding {
      if batch.isSpeculative {
        endSpeculation(now: now, table, &metrics)
      } else {
        endDecodes(now: now, table, &metrics)
      }
    }
    if !batch.chunks.isEmpty { endPrompts(now: now, table, &metrics) }
    batch.clock.finish()
    if !givenUp.isEmpty { endGivenUp(now: now, table) }
  }

  private mutating func endPrompts(now: Int64, _ table: RequestTable, _ metrics: inout ServingMetrics) {
    for chunk in batch.chunks {
      table[slots[chunk.slot]].computed += chunk.tokens
      backlog.serve(chunk.tokens, now: now)
    }
    batch.prefilling.removeAll { table[slots[$0]].promptIsWhole }
    for chunk in batch.chunks where table[slots[chunk.slot]].promptIsWhole {
      settlePrompt(chunk.slot, now: now, table, &metrics)
    }
    batch.chunks.removeAll()
  }

  private mutating func endDecodes(now: Int64, _ table: RequestTable, _ metrics: inout ServingMetrics) {
    let steps = batch.clock.span?.steps ?? 1
    metrics.outputTokens += (batch.decodes.count - batch.padding.count) * steps
    addGaps(now: now, steps: steps, table, &metrics)
    if isStaged { serveBatch(table) } else { ranking.decodedAll(steps: steps) }
    if steps > 1 {
      pool.take(batch.decodes.blocksNeeded(inNext: steps) - batch.decodes.blocksNeeded)
      metrics.notePeak(blocks: usedBlocks)
      batch.decodes.advance(by: steps)
    } else {
      batch.decodes.advance()
    }
    if batch.stepLog != nil { log(steps, now: now, table) }
    while let slot = batch.decodes.popFinished() { finishDecode(slot, now: now, table) }
  }

  /// The gaps between each decoding sequence's last tokens: the step, or with it the prompts it waited for.
  private mutating func addGaps(
    now: Int64, steps: Int, _ table: RequestTable, _ metrics: inout ServingMetrics
  ) {
    let members = batch.decodes.count - batch.padding.count - batch.late.count
    if !batch.late.isEmpty { addLateGaps(now: now, table, &metrics) }
    if batch.decodesWait {
      batch.decodesWait = false
      batch.order.visit { slot in
        if tokenTimes[slot] >= 0 { metrics.addGap(now - tokenTimes[slot], at: now) }
      }
    } else if members == 0 || now < metrics.measuredFrom {
      return
    } else if isStaged {
      metrics.addGaps(StepTimes(first: tokenGap, growth: 0, count: 1), sequences: members)
    } else if let span = batch.clock.span {
      if batch.clock.start < metrics.measuredFrom {
        addGaps(steps, of: span, before: metrics.measuredFrom, sequences: members, &metrics)
      } else if steps <= span.times.count {
        let times = StepTimes(first: span.times.first, growth: span.times.growth, count: steps)
        metrics.addGaps(times, sequences: members)
      } else {
        costs.stepTimes(sequences: span.sequences, context: span.context, steps: steps) { times in
          metrics.addGaps(times, sequences: members)
        }
      }
    } else {
      metrics.addGaps(StepTimes(first: batch.clock.picoseconds, growth: 0, count: 1), sequences: members)
    }
  }

  private mutating func addLateGaps(now: Int64, _ table: RequestTable, _ metrics: inout ServingMetrics) {
    for slot in batch.late { metrics.addGap(now - table[slots[slot]].lastToken, at: now) }
    batch.late.removeAll(keepingCapacity: true)
  }

  /// The same for a span in which the warm-up ends: steps that ended in it are left out.
  private func addGaps(
    _ steps: Int, of span: ReplicaClock.Span, before warm: Int64, sequences: Int, _ metrics: inout ServingMetrics
  ) {
    let until = batch.clock.picoseconds(until: warm)
    let out = costs.span(sequences: span.sequences, context: span.context, limit: steps, within: until).steps - 1
    let context = span.context + Int64(span.sequences * out)
    costs.stepTimes(sequences: span.sequences, context: context, steps: steps - out) { times in
      metrics.addGaps(times, sequences: sequences)
    }
  }

  /// Prompts go first in this step; the decoding sequences' next gap reaches back to their newest token.
  mutating func letDecodesWait(_ table: RequestTable) {
    guard !batch.decodesWait, batch.decodes.count > 0 else { return }
    batch.decodesWait = true
    let now = batch.clock.end
    batch.order.visit { slot in
      let decoding = table[slots[slot]].phase == .decoding && !batch.padding.contains(slot)
      tokenTimes[slot] = decoding ? now : -1
    }
    for slot in batch.late { tokenTimes[slot] = table[slots[slot]].lastToken }
    batch.late.removeAll(keepingCapacity: true)
  }

  /// A sequence has its last token; in a static batch it keeps its place until all have.
  mutating func finishDecode(_ slot: Int, now: Int64, _ table: RequestTable) {
    let row = slots[slot]
    table[row].generated += batch.decodes.stepsSinceJoin(slot)
    table[row].lastToken = now
    settleTrail(slot, table)
    ended.append(row)
    guard batching.isStatic else {
      releaseFinished(slot, table)
      return
    }
    table[row].isPadding = true
    batch.padding.append(slot)
    endPadding(table)
  }

  /// A static batch has ended when only padding is left of it.
  mutating func endPadding(_ table: RequestTable) {
    guard batch.padding.count == batch.decodes.count else { return }
    while let slot = batch.padding.last { retire(slot, table) }
  }

  /// Takes a sequence that only fills up a static batch out of it.
  mutating func retire(_ slot: Int, _ table: RequestTable) {
    retired.append(slots[slot])
    releaseFinished(slot, table)
    batch.padding.removeAll { $0 == slot }
  }

  private mutating func releaseFinished(_ slot: Int, _ table: RequestTable) {
    let row = slots[slot]
    let cached = batch.decodes.cached(slot)
    batch.decodes.forget(slot: slot)
    ranking.left(table[row].request.classIndex)
    table[row].blocks = limits.blocks(for: cached) - table[row].sharedBlocks
    table[row].computed = cached
    keepAnswer(row, table)
    releaseCache(row, table)
    freeSlot(slot, table)
    tenantRequests[ranking.tenant(table[row].request.classIndex)] -= 1
  }

  // MARK: Prompts

  /// A prompt is whole and its next token out: the first one, or after a preemption the one it was waiting for.
  private mutating func settlePrompt(
    _ slot: Int, now: Int64, _ table: RequestTable, _ metrics: inout ServingMetrics
  ) {
    let row = slots[slot]
    let isFirst = table[row].firstToken < 0
    metrics.outputTokens += 1
    metrics.inputTokens += table[row].generated == 0 ? table[row].inputTokens : 0
    if isFirst { table[row].firstToken = now } else { metrics.addGap(now - table[row].lastToken, at: now) }
    table[row].generated += 1
    table[row].lastToken = now
    table.trails?.add(now, to: row)
    ranking.decoded(table[row].request.classIndex)
    keepPrompt(row, table)
    if isFirst, table[row].request.samples > 1, table[row].family < 0 { fork(row, slot, now: now, table, &metrics) }
    proceed(slot, now: now, table)
  }

  /// After the first token: done, on to a decoding replica, or into the decodes.
  private mutating func proceed(_ slot: Int, now: Int64, _ table: RequestTable) {
    let row = slots[slot]
    if table[row].generated >= table[row].outputTokens {
      releaseCache(row, table)
      freeSlot(slot, table)
      tenantRequests[ranking.tenant(table[row].request.classIndex)] -= 1
      ended.append(row)
    } else if role == .prefill {
      table[row].phase = .transferring
      freeSlot(slot, table)
      tenantRequests[ranking.tenant(table[row].request.classIndex)] -= 1
      handedOver.append(row)
      departing.append(row)
    } else {
      join(slot, table)
      if batch.decodesWait { tokenTimes[slot] = now }
    }
  }

  /// A sequence with its whole cache takes part in the decodes from the next step on.
  mutating func join(_ slot: Int, _ table: RequestTable) {
    let row = slots[slot]
    table[row].phase = .decoding
    batch.decodes.join(
      slot: slot, cached: table[row].computed, steps: table[row].outputTokens - table[row].generated)
    ranking.joined(table[row].request.classIndex)
  }

  // MARK: Shared blocks

  /// The full blocks of a computed prompt become those of its stream.
  private mutating func keepPrompt(_ row: Int32, _ table: RequestTable) {
    let prompt = table[row].request.prompt
    guard pool.cache.keepsPrefixes, prompt.stream >= 0 else { return }
    keep(row, tokens: min(Int(prompt.tokens), table[row].computed), table)
  }

  /// Where the answer goes on the stream, its full blocks are kept as well.
  private mutating func keepAnswer(_ row: Int32, _ table: RequestTable) {
    let prompt = table[row].request.prompt
    guard pool.cache.keepsPrefixes, prompt.answerContinues, Int(prompt.tokens) >= table[row].inputTokens,
      table[row].family < 0
    else { return }
    keep(row, tokens: table[row].computed, table)
  }

  private mutating func keep(_ row: Int32, tokens: Int, _ table: RequestTable) {
    let live = table[row]
    let kept = pool.cache.insert(
      stream: live.request.prompt.stream, limit: tokens / limits.blockSize, have: live.sharedBlocks, held: live.node)
    table[row].node = kept.node
    table[row].blocks -= kept.shared - live.sharedBlocks
    table[row].sharedBlocks = kept.shared
    pool.give(kept.duplicates)
  }

  /// The samples of a prompt begin to decode beside the first: its full blocks are shared, the last one is copied.
  private mutating func fork(
    _ row: Int32, _ slot: Int, now: Int64, _ table: RequestTable, _ metrics: inout ServingMetrics
  ) {
    let others = sampleSlots.removeValue(forKey: row) ?? []
    batch.setAside -= others.count
    let full = min(table[row].computed, limits.keptTokens) / limits.blockSize
    let own = full - table[row].sharedBlocks
    let node = pool.cache.addFamily(blocks: own, start: table[row].sharedBlocks, parent: table[row].node)
    pool.cache.hold(node)
    if table[row].node >= 0 { pool.give(pool.cache.release(table[row].node)) }
    table[row].node = node
    table[row].blocks -= own
    table[row].sharedBlocks = full
    table[row].endBlocks = 0
    table[row].family = row
    table[row].openSamples = others.count + 1
    for slot in others {
      var sample = table[row]
      sample.slot = Int32(slot)
      let copy = table.add(sample)
      if sample.givenUpAs != nil { givenUp.append(copy) }
      pool.cache.hold(node)
      slots[slot] = copy
      append(slot)
      metrics.outputTokens += 1
      ranking.decoded(sample.request.classIndex)
      tenantRequests[ranking.tenant(sample.request.classIndex)] += 1
      if options.adapterSlots > 0 { _ = adapters.take(sample.request.adapter) }
      proceed(slot, now: now, table)
    }
  }

  // MARK: Giving up

  /// A request's user, or the runtime, gives up on it.
  /// - Returns: Whether it has ended by that; a running one ends with its step.
  mutating func giveUp(_ row: Int32, now: Int64, _ table: RequestTable) -> Bool {
    if table[row].phase == .waiting {
      forgetWaiting(row, now: now, table)
      tenantRequests[ranking.tenant(table[row].request.classIndex)] -= 1
      cut(at: now)
      return true
    }
    givenUp.append(row)
    cut(at: now)
    return false
  }

  private mutating func forgetWaiting(_ row: Int32, now: Int64, _ table: RequestTable) {
    backlog.drop(table[row].promptRest, now: now)
    if table[row].isSwapped { hostBlocks -= limits.blocks(for: table[row].computed) }
    table[row].phase = .leaving
    waiting.forgetOne()
  }

  private mutating func endGivenUp(now: Int64, _ table: RequestTable) {
    var later: [Int32] = []
    for row in givenUp where table[row].phase != .ended && !ended.contains(row) {
      if isStaged, table[row].slot >= 0, isInStep(Int(table[row].slot)) {
        later.append(row)
        continue
      }
      if let index = received.firstIndex(of: row) {
        received.remove(at: index)
      } else if table[row].slot >= 0 {
        leaveBatch(Int(table[row].slot), now: now, table)
      } else if table[row].phase == .waiting {
        forgetWaiting(row, now: now, table)
      } else {
        continue
      }
      releaseCache(row, table)
      tenantRequests[ranking.tenant(table[row].request.classIndex)] -= 1
      ended.append(row)
    }
    givenUp.removeAll(keepingCapacity: true)
    givenUp += later
    endPadding(table)
  }
}
