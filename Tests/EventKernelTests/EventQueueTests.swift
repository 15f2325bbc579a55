import EventKernel
import Testing

@Suite struct EventQueueTests {
  private func at(_ nanoseconds: Int64) -> Instant { Instant(nanoseconds: nanoseconds) }

  @Test func `events leave in order of time, then priority, then first in first out`() {
    var queue = EventQueue<String>()
    queue.schedule("late", at: at(9))
    queue.schedule("second", at: at(5), priority: 1)
    queue.schedule("third", at: at(5), priority: 1)
    queue.schedule("first", at: at(5), priority: 0)
    queue.schedule("last of five", at: at(5), priority: 255)
    queue.schedule("early", at: at(1), priority: 200)
    var left: [String] = []
    while let event = queue.next() { left.append(event) }
    #expect(left == ["early", "first", "second", "third", "last of five", "late"])
  }

  @Test func `many events agree with a stable sort`() {
    var stream = RandomStream(seed: 1, name: "queue")
    var queue = EventQueue<Int>()
    var expected: [(time: Int64, priority: UInt8, sequence: Int)] = []
    for sequence in 0..<5000 {
      let event = (Int64(stream.integer(below: 100)), UInt8(stream.integer(below: 4)), sequence)
      expected.append(event)
      queue.schedule(sequence, at: at(event.0), priority: event.1)
    }
    expected.sort { ($0.time, $0.priority, $0.sequence) < ($1.time, $1.priority, $1.sequence) }
    for event in expected {
      #expect(queue.nextTime == at(event.time))
      #expect(queue.next() == event.sequence)
      #expect(queue.now == at(event.time))
    }
    #expect(queue.isEmpty && queue.nextTime == nil)
  }

  @Test func `the clock stays where it is when the queue is empty`() {
    var queue = EventQueue<Int>(startingAt: at(7))
    #expect(queue.next() == nil)
    #expect(queue.now == at(7))
    queue.schedule(1, at: at(7))
    #expect(queue.next() == 1)
  }

  @Test func `an event scheduled while another runs at the same time comes after those already waiting`() {
    var queue = EventQueue<Int>()
    queue.schedule(1, at: at(3))
    queue.schedule(2, at: at(3))
    #expect(queue.next() == 1)
    queue.schedule(3, at: at(3))
    #expect(queue.next() == 2)
    #expect(queue.next() == 3)
  }

  @Test func `scheduling in the past stops the program`() async {
    await #expect(processExitsWith: .failure) {
      var queue = EventQueue<Int>()
      queue.schedule(1, at: Instant(nanoseconds: 10))
      _ = queue.next()
      queue.schedule(2, at: Instant(nanoseconds: 9))
    }
  }
}
