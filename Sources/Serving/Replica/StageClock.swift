import Execution

/// When each stage of a pipeline, and each link between two, is free: micro-batches pass them one after another.
///
/// A stage takes a micro-batch when it has ended the one before, and the activations of this one are there; a link sends
/// one set of activations at a time, beside the computation. Times are picoseconds since the start of the run.
struct StageClock {
  /// A micro-batch's way through all stages.
  struct Passage {
    var start: Int128 = 0
    var end: Int128 = 0
    /// Time that stages work on it, all together.
    var busy: Int128 = 0
    /// Time that stages waited for it while others were at work: its bubbles.
    var waiting: Int128 = 0
  }

  private(set) var stages: [Int128]
  private var links: [Int128]
  /// Since when some stage has been at work without a pause.
  private var since: Int128 = 0

  init(stages count: Int) {
    stages = Array(repeating: 0, count: count)
    links = Array(repeating: 0, count: max(0, count - 1))
  }

  /// Sends a micro-batch through the stages.
  /// - Parameters:
  ///   - isAlone: Whether no other is on its way.
  ///   - hop: Time on each link.
  mutating func pass(_ costs: [StepTable.Cost], hop: Int64, from now: Int128, isAlone: Bool) -> Passage {
    var time = max(now, stages[0])
    var passage = Passage(start: time)
    if isAlone { since = time }
    for stage in stages.indices {
      if stage > 0 {
        links[stage - 1] = max(time, links[stage - 1]) + Int128(hop)
        time = max(links[stage - 1], stages[stage])
      }
      passage.waiting += time - max(stages[stage], since)
      passage.busy += Int128(costs[stage].picoseconds)
      time += Int128(costs[stage].picoseconds)
      stages[stage] = time
    }
    passage.end = time
    return passage
  }

  /// Time that stages which have ended wait for the last, when nothing comes after a micro-batch.
  func trailing(_ end: Int128) -> Int128 { stages.reduce(0) { $0 + end - $1 } }
}
