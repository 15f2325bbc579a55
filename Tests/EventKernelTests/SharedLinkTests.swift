import Testing

@testable import EventKernel

@Suite struct SharedLinkTests {
  /// Takes out everything, with the times.
  private func drain(_ link: inout SharedLink) -> [(id: Int32, time: Int64)] {
    var ends: [(Int32, Int64)] = []
    while link.nextEnd != Timers.never {
      let time = link.nextEnd
      while let id = link.popSent(now: time) { ends.append((id, time)) }
    }
    return ends
  }

  @Test func `a transfer alone takes its size over the bandwidth`() {
    var link = SharedLink(bandwidth: 10_000_000_000)
    link.start(1, bytes: 1_000_000, now: 50)
    #expect(link.nextEnd == 100_050)
    #expect(link.popSent(now: 100_049) == nil)
    #expect(link.popSent(now: 100_050) == 1)
    #expect(link.nextEnd == Timers.never)
  }

  /// 1 GB/s is a byte a nanosecond. 600 bytes start at 0, 400 at 200: the first has 400 left then, both get half, and
  /// both end at 200 + 800.
  @Test func `two transfers share the bandwidth from when the second comes`() {
    var link = SharedLink(bandwidth: 1_000_000_000)
    link.start(1, bytes: 600, now: 0)
    link.start(2, bytes: 400, now: 200)
    #expect(drain(&link).map(\.time) == [1000, 1000])
  }

  /// 300 and 900 bytes from 0: at half each the first ends at 600; 600 bytes of the second are left and go alone.
  @Test func `who is left has the link alone`() {
    var link = SharedLink(bandwidth: 1_000_000_000)
    link.start(1, bytes: 300, now: 0)
    link.start(2, bytes: 900, now: 0)
    let ends = drain(&link)
    #expect(ends.map(\.id) == [1, 2])
    #expect(ends.map(\.time) == [600, 1200])
  }

  @Test func `three equal transfers end together although a third of a nanobyte is none`() {
    var link = SharedLink(bandwidth: 1_000_000_000)
    for id in 0..<3 { link.start(Int32(id), bytes: 1001, now: 7) }
    #expect(drain(&link).map(\.time) == [3010, 3010, 3010])
  }

  /// 1000 bytes at half speed for 400 ns: 200 were carried, and the other, with 800 left, goes on alone.
  @Test func `a cancelled transfer leaves the bandwidth to the others`() {
    var link = SharedLink(bandwidth: 1_000_000_000)
    link.start(1, bytes: 1000, now: 0)
    link.start(2, bytes: 1000, now: 0)
    #expect(link.cancel(1, now: 400) == 200)
    #expect(link.cancel(1, now: 400) == nil)
    #expect(drain(&link).map(\.time) == [1200])
    #expect(link.carried == 1200)
  }

  @Test func `nothing to send is sent at once`() {
    var link = SharedLink(bandwidth: 3)
    link.start(1, bytes: 0, now: 12)
    #expect(link.nextEnd == 12)
    #expect(link.popSent(now: 12) == 1)
  }

  @Test func `the largest transfer on the slowest link does not overflow`() {
    var link = SharedLink(bandwidth: 1)
    link.start(1, bytes: .max, now: 0)
    link.start(2, bytes: .max, now: 1)
    #expect(link.nextEnd == Int64.max)
  }

  /// Against a fluid model in floating point: an end before the fluid's would need more than the bandwidth.
  @Test func `random transfers share fairly, arrive whole and never exceed the bandwidth`() {
    for seed in 0..<200 {
      var random = RandomStream(seed: UInt64(seed), name: "links")
      let bandwidth = Int64(1 + random.integer(below: 5_000_000_000))
      var link = SharedLink(bandwidth: bandwidth)
      var fluid: [Int32: Double] = [:]
      var ends: [Int32: (Int64, Double)] = [:]
      var now: Int64 = 0
      var clock = 0.0
      var sent: Int64 = 0
      func advanceFluid(to time: Double) {
        while let next = fluid.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
          let end = clock + next.value * Double(fluid.count) / Double(bandwidth) * 1e9
          let until = min(end, time)
          let each = (until - clock) * Double(bandwidth) / 1e9 / Double(fluid.count)
          for id in fluid.keys { fluid[id]! -= each }
          clock = until
          guard end <= time else { break }
          fluid[next.key] = nil
          ends[next.key] = (-1, end)
        }
        clock = max(clock, time)
      }
      var arrivals: [Int32: Int64] = [:]
      for id in 0..<Int32(1 + random.integer(below: 12)) {
        let next = now + Int64(random.integer(below: 2000))
        while link.nextEnd <= next {
          let time = link.nextEnd
          while let done = link.popSent(now: time) { arrivals[done] = time }
        }
        now = next
        advanceFluid(to: Double(now))
        let bytes = Int64(random.integer(below: 10_000))
        sent += bytes
        link.start(id, bytes: bytes, now: now)
        fluid[id] = Double(bytes)
      }
      for (id, time) in drain(&link) { arrivals[id] = time }
      advanceFluid(to: 1e19)
      #expect(link.carried == sent)
      // Each end is rounded up to a nanosecond, and so delays the others by as much at most.
      for (id, time) in arrivals {
        let exact = ends[id]!.1
        #expect(Double(time) >= exact - 1e-3 && Double(time) <= exact + Double(arrivals.count) + 1, "seed \(seed)")
      }
    }
  }
}
