import EventKernel
import Testing

@Suite struct OwnedMemoryTests {
  /// Counts how many of its kind there are.
  final class Counted {
    final class Tally { var count = 0 }
    let value: Int
    private let tally: Tally

    init(_ value: Int, _ tally: Tally) {
      self.value = value
      self.tally = tally
      tally.count += 1
    }

    deinit { tally.count -= 1 }
  }

  @Test func `a stack holds what an array would, and lets go of the rest`() {
    var random = RandomStream(seed: 11, name: "stack")
    let tally = Counted.Tally()
    do {
      let stack = ReusableStack<Counted>()
      var expected: [Int] = []
      for step in 0..<3000 {
        switch random.integer(below: expected.isEmpty ? 1 : 8) {
        case 0...3:
          stack.append(Counted(step, tally))
          expected.append(step)
        case 4:
          stack.removeLast()
          expected.removeLast()
        case 5: #expect(stack.removeFirst().value == expected.removeFirst())
        case 6:
          let place = random.integer(below: expected.count)
          stack.remove(at: place)
          expected.remove(at: place)
        default:
          stack.removeAll { $0.value % 5 == 0 }
          expected.removeAll { $0 % 5 == 0 }
        }
        #expect(tally.count == expected.count)
      }
      #expect(stack.map(\.value) == expected && expected.count > 16)
      stack.removeAll()
      #expect(stack.isEmpty && tally.count == 0)
      stack.append(Counted(1, tally))
    }
    #expect(tally.count == 0)
  }

  @Test func `a fixed array is shared by its copies and lets go of its elements`() {
    let tally = Counted.Tally()
    do {
      let array = FixedArray((0..<5).map { Counted($0, tally) })
      let copy = array
      copy[3] = Counted(30, tally)
      #expect(array.map(\.value) == [0, 1, 2, 30, 4] && tally.count == 5)
    }
    #expect(tally.count == 0)
    #expect(FixedArray(repeating: 7, count: 0).isEmpty)
  }
}
