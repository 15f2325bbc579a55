import EventKernel

/// Slots by the step at which something happens to them: a timing wheel of linked lists.
///
/// Adding, removing and finding nothing due are O(1). A slot stands in a calendar at most once.
struct StepCalendar {
  private static let wheel = 1024
  private static let none = Int32(-1)

  /// First slot of each spoke; slots of later laps share it and are passed over.
  private let heads = FixedArray<Int32>(repeating: none, count: wheel)
  private let next: FixedArray<Int32>
  private let previous: FixedArray<Int32>
  private let due: FixedArray<Int>
  /// A bit for each spoke that is not empty.
  private let occupied = FixedArray<UInt64>(repeating: 0, count: wheel / 64)

  init(capacity: Int) {
    next = FixedArray(repeating: Self.none, count: capacity)
    previous = FixedArray(repeating: Self.none, count: capacity)
    due = FixedArray(repeating: -1, count: capacity)
  }

  mutating func add(_ slot: Int, at step: Int) {
    let spoke = step % Self.wheel
    due[slot] = step
    previous[slot] = Self.none
    next[slot] = heads[spoke]
    if heads[spoke] != Self.none { previous[Int(heads[spoke])] = Int32(slot) }
    heads[spoke] = Int32(slot)
    occupied[spoke >> 6] |= 1 << UInt64(spoke & 63)
  }

  /// Steps from `step` to the next one at which something may be due, at most a turn of the wheel.
  func distanceToNextDue(after step: Int) -> Int {
    let first = (step + 1) % Self.wheel
    var word = first >> 6
    var bits = occupied[word] & (~0 << UInt64(first & 63))
    for _ in 0...occupied.count {
      if bits != 0 {
        let spoke = word << 6 + bits.trailingZeroBitCount
        return (spoke - first + Self.wheel) % Self.wheel + 1
      }
      word = (word + 1) % occupied.count
      bits = occupied[word]
    }
    return Self.wheel
  }

  /// Removes a slot; nothing happens when it is not in the calendar.
  mutating func remove(_ slot: Int) {
    guard due[slot] >= 0 else { return }
    let before = previous[slot]
    let after = next[slot]
    if before == Self.none {
      let spoke = due[slot] % Self.wheel
      heads[spoke] = after
      if after == Self.none { occupied[spoke >> 6] &= ~(1 << UInt64(spoke & 63)) }
    } else {
      next[Int(before)] = after
    }
    if after != Self.none { previous[Int(after)] = before }
    due[slot] = -1
  }

  /// Takes out one slot that is due at this very step.
  mutating func popDue(_ step: Int) -> Int? {
    var candidate = heads[step % Self.wheel]
    while candidate != Self.none {
      let slot = Int(candidate)
      if due[slot] == step {
        remove(slot)
        return slot
      }
      candidate = next[slot]
    }
    return nil
  }
}
