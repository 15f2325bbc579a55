/// When the decode steps of a replica ended, back to the first that a sequence in the batch took part in.
struct StepLog {
  private var ends: [Int64] = []
  /// Number of the oldest step kept, as ``DecodeGroup`` counts.
  private var first = 0
  /// Steps to keep before the log is looked through.
  private var limit = fewest
  private static let fewest = 4096

  /// - Parameter first: Number of the first step to come.
  init(first: Int = 0) { self.first = first }

  var isFull: Bool { ends.count >= limit }

  mutating func append(_ end: Int64) { ends.append(end) }

  /// The ends of a range of steps.
  /// - Precondition: They are kept.
  func ends(of steps: Range<Int>) -> ArraySlice<Int64> { ends[steps.lowerBound - first..<steps.upperBound - first] }

  /// Forgets what came before a step.
  mutating func forget(before step: Int) {
    ends.removeFirst(step - first)
    first = step
    limit = max(Self.fewest, 2 * ends.count)
  }
}

/// When the tokens of every request in the system came out, by row, up to the last time it was looked at.
struct TokenTrails {
  private var times: [[Int64]] = []

  mutating func clear(_ row: Int32) {
    while times.count <= Int(row) { times.append([]) }
    times[Int(row)].removeAll(keepingCapacity: true)
  }

  mutating func add(_ time: Int64, count: Int = 1, to row: Int32) {
    for _ in 0..<count { times[Int(row)].append(time) }
  }

  mutating func add(_ some: ArraySlice<Int64>, to row: Int32) { times[Int(row)].append(contentsOf: some) }

  func times(_ row: Int32) -> [Int64] { times[Int(row)] }
}

extension Replica {
  /// Begins to log when decode steps end.
  mutating func logSteps() {
    batch.stepLog = StepLog(first: batch.decodes.step)
    guard let pipeline else { return }
    for index in pipeline.parked.indices where index != pipeline.current {
      pipeline.parked[index].stepLog = StepLog(first: pipeline.parked[index].decodes.step)
    }
  }

  /// Writes down when the decode steps that end now ended, each of them.
  /// - Parameter steps: Already taken by the decodes.
  /// - Complexity: O(steps), and amortised over steps O(1) for what is forgotten.
  mutating func log(_ steps: Int, now: Int64, _ table: RequestTable) {
    if let span = batch.clock.span, steps > 1 {
      var picoseconds: Int64 = 0
      costs.stepTimes(sequences: span.sequences, context: span.context, steps: steps) { times in
        for index in 0..<times.count {
          picoseconds += times.first + times.growth * Int64(index)
          batch.stepLog?.append(batch.clock.time(after: picoseconds))
        }
      }
    } else {
      batch.stepLog?.append(now)
    }
    if batch.stepLog?.isFull == true { forgetSteps(table) }
  }

  private mutating func forgetSteps(_ table: RequestTable) {
    var oldest = batch.decodes.step
    batch.order.visit { slot in
      guard table[slots[slot]].phase == .decoding else { return }
      oldest = min(oldest, batch.decodes.step - batch.decodes.stepsSinceJoin(slot))
    }
    batch.stepLog?.forget(before: oldest)
  }

  /// A sequence leaves the decodes: its tokens since it joined get their times.
  func settleTrail(_ slot: Int, _ table: RequestTable) {
    guard let stepLog = batch.stepLog else { return }
    let joined = batch.decodes.step - batch.decodes.stepsSinceJoin(slot)
    table.trails?.add(stepLog.ends(of: joined..<batch.decodes.step), to: slots[slot])
  }
}
