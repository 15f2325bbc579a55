import ModelGraph

/// The sequences that decode one token in every step, as sums and calendars, so that a step costs the same for one
/// sequence or hundreds.
///
/// Positions are counted in decode steps: a sequence that joined at step `n` with `c` tokens in cache has `c + k` at
/// step `n + k`. Who finishes, needs a new block, or fills its attention window at a step is looked up by step number.
struct DecodeGroup {
  /// Decode steps taken since the start.
  private(set) var step = 0
  private(set) var count = 0
  /// Tokens that the next step attends to, its own included, by attention span.
  private(set) var context = SpanSums()

  private let spans: AttentionSpans
  private let blockSize: Int
  /// By step modulo the block size: members that need a new block when that step comes.
  private var growing: [Int]
  private var finishing: StepCalendar
  /// One calendar for each windowed span: members whose window is full from that step on.
  private var saturating: [StepCalendar]
  /// Members whose context still grows, by span.
  private var open = SpanSums()

  init(spans: AttentionSpans, blockSize: Int, capacity: Int) {
    self.spans = spans
    self.blockSize = blockSize
    growing = Array(repeating: 0, count: blockSize)
    finishing = StepCalendar(capacity: capacity)
    let windows = (1..<4).filter { spans.windows[$0] != Int.max }
    saturating = windows.map { _ in StepCalendar(capacity: capacity) }
  }

  /// New blocks that the next step needs.
  var blocksNeeded: Int { growing[step % blockSize] }

  /// Adds a sequence with so many cached tokens that will take part in `steps` steps.
  mutating func join(slot: Int, cached: Int, steps: Int) {
    count += 1
    growing[boundary(cached)] += 1
    finishing.add(slot, at: step + steps)
    let visible = spans.visible(cached + 1)
    context += visible
    // Unused lanes see everything, like lane 0.
    for lane in 0..<4 { if cached + 1 < spans.windows[lane] || lane == 0 { open[lane] += 1 } }
    for index in saturating.indices {
      let room = spans.windows[index + 1] - (cached + 1)
      if room > 0 { saturating[index].add(slot, at: step + room) }
    }
  }

  /// Removes a sequence that has `cached` tokens now, before its last step.
  mutating func leave(slot: Int, cached: Int) {
    finishing.remove(slot)
    forget(slot: slot, cached: cached)
  }

  /// Takes one step: every member's context grows by one.
  mutating func advance() {
    step += 1
    context += open
    for index in saturating.indices {
      while saturating[index].popDue(step) != nil { open[index + 1] -= 1 }
    }
  }

  /// A member whose last step was just taken, if any is left.
  mutating func popFinished() -> Int? { finishing.popDue(step) }

  /// Completes the removal of a finished member that has `cached` tokens.
  mutating func forget(slot: Int, cached: Int) {
    count -= 1
    growing[boundary(cached)] -= 1
    context -= spans.visible(cached + 1)
    for lane in 0..<4 { if cached + 1 < spans.windows[lane] || lane == 0 { open[lane] -= 1 } }
    for index in saturating.indices { saturating[index].remove(slot) }
  }

  /// The step, modulo the block size, at which a sequence with `cached` tokens now starts a new block: when its cached
  /// tokens fill whole blocks.
  private func boundary(_ cached: Int) -> Int {
    let until = (blockSize - cached % blockSize) % blockSize
    return (step + until) % blockSize
  }
}
