import EventKernel
import Execution
import ModelGraph

extension Replica {
  /// Whether the next decode step drafts and verifies.
  var speculates: Bool {
    guard let speculation = options.speculation else { return false }
    return batch.decodes.count > 0 && batch.decodes.count <= speculation.batchLimit
  }

  /// Blocks for the most tokens that each sequence may gain in the next step.
  func speculativeBlocks(_ table: RequestTable) -> Int {
    guard let speculation = options.speculation else { return 0 }
    var sum = 0
    batch.order.visit { slot in
      guard table[slots[slot]].phase == .decoding else { return }
      let cached = batch.decodes.cached(slot)
      sum += limits.blocks(for: cached + most(speculation, slot, table)) - limits.blocks(for: cached)
    }
    return sum
  }

  private func most(_ speculation: Speculation, _ slot: Int, _ table: RequestTable) -> Int {
    min(speculation.depth + 1, table[slots[slot]].outputTokens - generated(table[slots[slot]]))
  }

  /// Tokens a decoding sequence may gain in a step that verifies drafts.
  func mostGained(_ slot: Int, _ table: RequestTable) -> Int {
    options.speculation.map { most($0, slot, table) } ?? 1
  }

  /// What drafting costs beside the step: one step of the draft model for each depth, its share of the prompts, and what
  /// is written anew.
  mutating func drafting(_ shape: StepShape) -> StepTable.Cost {
    guard let speculation = options.speculation, let draft = draftCosts else {
      return StepTable.Cost(picoseconds: 0, nanojoules: 0)
    }
    var cost = StepTable.Cost(picoseconds: 0, nanojoules: 0)
    if shape.prefillTokens > 0 {
      var prompts = shape
      prompts.decodeSequences = 0
      prompts.decodeContext = SpanSums()
      cost.add(draft.cost(prompts))
    }
    guard shape.decodeQueries > 1 else { return cost }
    if speculation.trip > .zero { cost.add(costs.copying(speculation.trip)) }
    var step = StepShape()
    step.decodeSequences = shape.decodeSequences
    step.decodeContext = shape.decodeContext
    let again = rewritten(step, speculation)
    add(speculation.passes, step, priced: draft, to: &cost)
    if let again { add(speculation.passes, again, priced: costs, to: &cost) }
    return cost
  }

  /// A step as it is priced: steps of a thought are scored as chunks of a prompt are computed.
  func priced(_ shape: StepShape) -> StepShape {
    guard shape.decodeQueries > 1, options.speculation?.kept != nil else { return shape }
    var scoring = shape
    scoring.decodeSequences = 0
    scoring.decodeContext = SpanSums()
    scoring.decodeQueries = 1
    scoring.addPrefill(
      sequences: shape.decodeSequences, tokens: shape.decodeQueries,
      start: Int(shape.decodeContext[0]) / shape.decodeSequences, last: true, spans: costs.spans)
    return scoring
  }

  /// Decode steps one after another, each with one token more of every sequence.
  private func add(_ passes: Int, _ step: StepShape, priced table: StepTable, to cost: inout StepTable.Cost) {
    var step = step
    for _ in 0..<passes {
      cost.add(table.cost(step))
      step.decodeContext += Double(step.decodeSequences)
    }
  }

  /// The sequences whose steps of a thought do not stand, drawn one by one; of the mean context. Nothing when all stand.
  private mutating func rewritten(_ step: StepShape, _ speculation: Speculation) -> StepShape? {
    guard let kept = speculation.kept else { return nil }
    let refused = (0..<step.decodeSequences).count { _ in lots.openUniform() >= kept }
    guard refused > 0 else { return nil }
    var again = step
    again.decodeSequences = refused
    again.decodeContext = (step.decodeContext * (Double(refused) / Double(step.decodeSequences))).rounded(.up)
    return again
  }

  /// Each sequence gains the drafts that were accepted and one token more; blocks taken for the others are given back.
  mutating func endSpeculation(now: Int64, _ table: RequestTable, _ metrics: inout ServingMetrics) {
    guard let speculation = options.speculation else { return }
    var members: [Int] = []
    batch.order.visit { slot in if table[slots[slot]].phase == .decoding { members.append(slot) } }
    pool.give(speculativeBlocks(table))
    counts.speculations += members.count
    for slot in members {
      let gained = min(speculation.draw(&lots), most(speculation, slot, table))
      gain(gained, slot, now: now, table, &metrics)
    }
    batch.decodesWait = false
    batch.late.removeAll(keepingCapacity: true)
  }

  private func newestToken(_ slot: Int, _ table: RequestTable) -> Int64 {
    if batch.late.contains(slot) { return table[slots[slot]].lastToken }
    return batch.decodesWait ? tokenTimes[slot] : isStaged ? batch.previousEnd : batch.clock.start
  }

  private mutating func gain(
    _ tokens: Int, _ slot: Int, now: Int64, _ table: RequestTable, _ metrics: inout ServingMetrics
  ) {
    let row = slots[slot]
    let cached = batch.decodes.cached(slot)
    pool.take(limits.blocks(for: cached + tokens) - limits.blocks(for: cached))
    // Tokens accepted together come out together.
    metrics.addGap(now - newestToken(slot, table), at: now)
    for _ in 1..<max(1, tokens) { metrics.addGap(0, at: now) }
    metrics.outputTokens += tokens
    counts.speculatedTokens += tokens
    ranking.decoded(table[row].request.classIndex, tokens: tokens)
    table[row].generated += batch.decodes.stepsSinceJoin(slot) + tokens
    table[row].computed = cached + tokens
    let left = table[row].outputTokens - table[row].generated
    settleTrail(slot, table)
    table.trails?.add(now, count: tokens, to: row)
    batch.decodes.leave(slot: slot)
    batch.decodes.join(slot: slot, cached: cached + tokens, steps: max(1, left))
    guard left <= 0 else { return }
    batch.decodes.end(slot: slot)
    finishDecode(slot, now: now, table)
  }
}
