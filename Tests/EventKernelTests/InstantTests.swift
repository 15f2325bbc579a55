import EventKernel
import Testing

@Suite struct InstantTests {
  @Test func `seconds round once to the nearest nanosecond`() {
    #expect(Instant(seconds: 0.1)?.nanoseconds == 100_000_000)
    #expect(Instant(seconds: 1.4e-9)?.nanoseconds == 1)
    #expect(Instant(seconds: 1.6e-9)?.nanoseconds == 2)
    #expect(Instant(nanoseconds: 1_500_000_000).seconds == 1.5)
  }

  @Test(arguments: [.nan, .infinity, -.infinity, 1e10, -1e10, 9.3e9] as [Double])
  func `a time beyond 292 years or not a number is refused`(seconds: Double) {
    #expect(Instant(seconds: seconds) == nil)
  }

  @Test func `adding beyond the end of the clock is refused`() {
    let end = Instant(nanoseconds: .max)
    #expect(end.adding(1) == nil)
    #expect(end.adding(0) == end)
    #expect(Instant.zero.adding(5) == Instant(nanoseconds: 5))
  }

  @Test func `arithmetic is in nanoseconds`() {
    var instant = Instant(nanoseconds: 10) + 5
    instant += 5
    #expect(instant - Instant(nanoseconds: 3) == 17)
    #expect(Instant.zero < instant)
    #expect("\(instant)" == "20 ns")
  }
}
