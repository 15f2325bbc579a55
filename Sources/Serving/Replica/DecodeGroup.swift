import EventKernel
import ModelGraph

/// The sequences that decode one token in every step, as sums and calendars, so that a step costs the same for one
/// sequence or hundreds.
///
/// Positions are counted in decode steps: a sequence that joined at step `n` with `c` tokens in cache has `c + k` at
/// step `n + k`. Who finishes, needs a new block, or fills its attention window at a step is looked up by step number.
struct DecodeGroup {
  /// Decode steps taken since the start.
  private(set) var step = 0
  /// The step modulo the block size.
  private var phase = 0
  private(set) var count = 0
  /// Tokens that the next step attends to, its own included, by attention span.
  private(set) var context = SpanSums()

  private let spans: AttentionSpans
  private let blockSize: Int
  /// By step modulo the block size: members that need a new block when that step comes.
  private let growing: FixedArray<Int>
  private var finishing: StepCalendar
  /// One calendar for each windowed span: members whose window is full from that step on.
  private var saturating: [StepCalendar]
  /// Tokens that a member's cache holds at most, and members whose cache is full from a step on.
  private let kept: Int
  private var filling: StepCalendar
  /// Members whose context still grows, by span.
  private var open = SpanSums()
  /// By slot: the decode step at which it joined, and the tokens it had in cache then.
  private let joined: FixedArray<Joining>

  private struct Joining {
    var step: Int
    var cached: Int
  }

  init(spans: AttentionSpans, blockSize: Int, kept: Int = .max, capacity: Int) {
    self.spans = spans
    self.blockSize = blockSize
    self.kept = kept
    filling = StepCalendar(capacity: kept == .max ? 0 : capacity)
    growing = FixedArray(repeating: 0, count: blockSize)
    finishing = StepCalendar(capacity: capacity)
    let windows = (1..<4).filter { spans.windows[$0] != Int.max }
    saturating = windows.map { _ in StepCalendar(capacity: capacity) }
    joined = FixedArray(repeating: Joining(step: 0, cached: 0), count: capacity)
  }

  /// New blocks that the next step needs.
  var blocksNeeded: Int { growing[phase] }

  /// New blocks that the next steps need together.
  func blocksNeeded(inNext steps: Int) -> Int {
    guard steps > 1 else { return steps == 1 ? growing[phase] : 0 }
    let rounds = steps / blockSize
    var sum = rounds * count
    var index = phase
    for _ in 0..<steps - rounds * blockSize {
      sum += growing[index]
      index = after(index)
    }
    return sum
  }

  /// New blocks of the steps after the next one, each counted once for itself and every later step of so many in all.
  @inline(__always)
  func blockSteps(inNext steps: Int) -> Int {
    steps > 1 ? Self.laterBlocks(growing, after: phase, steps: steps, blockSize: blockSize) : 0
  }

  // Without self, which would be copied for it in every step.
  private static func laterBlocks(_ growing: FixedArray<Int>, after phase: Int, steps: Int, blockSize: Int) -> Int {
    let rounds = (steps - 1) / blockSize
    let rest = (steps - 1) - rounds * blockSize
    // Steps offset, offset + blockSize, ... below the last, each weighted with the steps left: one more of them for the
    // first offsets, and from one offset to the next as much less as there are.
    var sum = 0
    var index = phase
    var times = rounds + 1
    var weight = times * steps - blockSize * (times * (times - 1) / 2)
    for offset in 1...min(blockSize, steps - 1) {
      if offset == rest + 1 {
        times = rounds
        weight = times * (steps - rest) - blockSize * (times * (times - 1) / 2)
      }
      weight &-= times
      index = index &+ 1 == blockSize ? 0 : index &+ 1
      sum &+= growing[index] &* weight
    }
    return sum
  }

  /// The next steps, the first one's blocks being taken already, that so many free blocks last for.
  func steps(until free: Int, atMost most: Int) -> Int {
    guard count > 0, most > 1 else { return 1 }
    if free >= count * (most / blockSize + 1) { return most }
    // In as many steps as a block has tokens, every member needs one block.
    let rounds = free / count
    var steps = rounds * blockSize
    var left = free - rounds * count
    var index = phase
    for _ in 1...blockSize {
      index = after(index)
      left -= growing[index]
      if left < 0 { break }
      steps += 1
    }
    return min(most, steps + 1)
  }

  private func after(_ index: Int) -> Int { index + 1 == blockSize ? 0 : index + 1 }

  /// Steps until a member takes its last one, or fewer.
  var stepsToNextEnd: Int { finishing.distanceToNextDue(after: step) }

  /// Tokens that a member has in cache.
  func cached(_ slot: Int) -> Int { joined[slot].cached + step - joined[slot].step }

  /// Steps that a member has taken.
  func stepsSinceJoin(_ slot: Int) -> Int { step - joined[slot].step }

  /// Adds a sequence with so many cached tokens that will take part in `steps` steps.
  mutating func join(slot: Int, cached: Int, steps: Int) {
    count += 1
    joined[slot] = Joining(step: step, cached: cached)
    if cached < kept { growing[boundary(cached)] += 1 }
    if kept != .max, cached < kept { filling.add(slot, at: step + kept - cached) }
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

  /// Removes a sequence before its last step.
  mutating func leave(slot: Int) {
    finishing.remove(slot)
    forget(slot: slot)
  }

  /// Ends a member before its last step; ``forget(slot:)`` completes its removal.
  mutating func end(slot: Int) { finishing.remove(slot) }

  /// Takes many steps in which nobody ends and no window fills.
  mutating func advance(by steps: Int) {
    step += steps
    phase = step % blockSize
    context += open * Double(steps)
  }

  /// Takes one step: every member's context grows by one.
  mutating func advance() {
    step += 1
    phase = after(phase)
    context += open
    for index in saturating.indices {
      while saturating[index].popDue(step) != nil { open[index + 1] -= 1 }
    }
    guard kept != .max else { return }
    while let slot = filling.popDue(step) { growing[boundary(cached(slot))] -= 1 }
  }

  /// A member whose last step was just taken, if any is left.
  mutating func popFinished() -> Int? { finishing.popDue(step) }

  /// Completes the removal of a finished member.
  mutating func forget(slot: Int) {
    let cached = cached(slot)
    count -= 1
    if cached < kept { growing[boundary(cached)] -= 1 }
    if kept != .max { filling.remove(slot) }
    context -= spans.visible(cached + 1)
    for lane in 0..<4 { if cached + 1 < spans.windows[lane] || lane == 0 { open[lane] -= 1 } }
    for index in saturating.indices { saturating[index].remove(slot) }
  }

  /// The step, modulo the block size, at which a sequence with `cached` tokens now starts a new block: when its cached
  /// tokens fill whole blocks.
  @inline(__always)
  private func boundary(_ cached: Int) -> Int {
    let filled = cached % blockSize
    let place = filled == 0 ? phase : phase + blockSize - filled
    return place < blockSize ? place : place - blockSize
  }
}
