import Execution

extension Replica {
  /// Begins a step of decodes alone, or as many as cannot change: until an answer ends, the cache runs out, or
  /// somebody could be admitted.
  mutating func beginDecodes(now: Int64, extra: StepTable.Cost, _ first: StepTable.Cost) {
    let context = Int64(batch.decodes.context[0])
    var span = ReplicaClock.Span(
      steps: 1, sequences: batch.decodes.count, context: context,
      times: StepTimes(first: first.picoseconds, growth: 0, count: 1))
    var cost = StepTable.Cost(
      picoseconds: first.picoseconds + extra.picoseconds, nanojoules: first.nanojoules + extra.nanojoules)
    if takesSpans, extra.picoseconds == 0 {
      let most = batch.decodes.steps(until: pool.available, atMost: batch.decodes.stepsToNextEnd)
      if most > 1 {
        let many = costs.span(
          sequences: batch.decodes.count, context: context, limit: most,
          within: heat?.picoseconds(untilChangeAt: first) ?? .max)
        span.steps = many.steps
        span.times = many.times
        cost = StepTable.Cost(picoseconds: many.picoseconds, nanojoules: many.nanojoules)
      }
    }
    batch.clock.begin(now: now, cost, decodes: true, span: extra.picoseconds == 0 && costs.hasCurves ? span : nil)
  }

  /// Whether the steps after this one would be the same while nobody comes or goes.
  private var takesSpans: Bool {
    options.takesManySteps && costs.hasCurves && !defersArrivals && batch.prefilling.isEmpty && received.isEmpty
      && batch.late.isEmpty && !batch.decodesWait && (waiting.isEmpty || !mayChangeWithTime)
  }

  /// Whether another one of those who wait could be let in while nobody comes or goes.
  private var mayChangeWithTime: Bool {
    ranking.scheduler.preempts || waiting.changesWithTime && !freeSlots.isEmpty
  }

  /// When the step that ended last began, also where it was the last of many taken at once.
  var startOfLastStep: Int64 {
    guard let span = batch.clock.span, span.steps > 1 else { return batch.clock.start }
    let earlier = costs.span(sequences: span.sequences, context: span.context, limit: span.steps - 1)
    return batch.clock.start(ofLast: batch.clock.picoseconds - earlier.picoseconds)
  }

  /// The span is to end with the step in progress at a time.
  mutating func cut(at now: Int64) {
    guard let span = batch.clock.span, span.steps > 1, batch.clock.end > now else { return }
    let part = costs.span(
      sequences: span.sequences, context: span.context, limit: span.steps, within: batch.clock.picoseconds(until: now))
    guard part.steps < span.steps else { return }
    batch.clock.shorten(to: part)
  }

  /// Decode steps of the span in progress that have ended before a time, and are not booked yet.
  func stepsTaken(at now: Int64) -> Int {
    guard let span = batch.clock.span, batch.clock.isBusy, span.steps > 1, now > batch.clock.start else { return 0 }
    let part = costs.span(
      sequences: span.sequences, context: span.context, limit: span.steps, within: batch.clock.picoseconds(until: now))
    return part.steps - 1
  }

  /// Blocks in use at a time within the step or span in progress.
  func usedBlocks(at now: Int64) -> Int {
    guard batch.clock.isBusy, let span = batch.clock.span, span.steps > 1, now > batch.clock.start else {
      return usedBlocks
    }
    let part = costs.span(
      sequences: span.sequences, context: span.context, limit: span.steps, within: batch.clock.picoseconds(until: now))
    return usedBlocks + batch.decodes.blocksNeeded(inNext: part.steps) - batch.decodes.blocksNeeded(inNext: 1)
  }
}
