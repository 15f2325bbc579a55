import EventKernel

/// Slots in order of admission, with removal anywhere: the last one is the first to be preempted.
struct SlotOrder {
  private static let none = Int32(-1)

  private let next: FixedArray<Int32>
  private let previous: FixedArray<Int32>
  private var first = none
  private(set) var count = 0
  private var end = none

  init(capacity: Int) {
    next = FixedArray(repeating: Self.none, count: capacity)
    previous = FixedArray(repeating: Self.none, count: capacity)
  }

  /// The slot admitted last.
  var last: Int? { end == Self.none ? nil : Int(end) }

  mutating func append(_ slot: Int) {
    previous[slot] = end
    next[slot] = Self.none
    if end == Self.none { first = Int32(slot) } else { next[Int(end)] = Int32(slot) }
    end = Int32(slot)
    count += 1
  }

  mutating func remove(_ slot: Int) {
    let before = previous[slot]
    let after = next[slot]
    if before == Self.none { first = after } else { next[Int(before)] = after }
    if after == Self.none { end = before } else { previous[Int(after)] = before }
    count -= 1
  }

  /// Visits the slots from the one admitted first.
  func visit(_ body: (Int) -> Void) {
    var slot = first
    while slot != Self.none {
      body(Int(slot))
      slot = next[Int(slot)]
    }
  }
}
