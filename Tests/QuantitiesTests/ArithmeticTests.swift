import Testing

@testable import Quantities

@Suite struct ArithmeticTests {
  private let size = Bytes(6e12)
  private let bandwidth = BytesPerSecond(3e12)
  private let work = FLOPs(8e15)
  private let rate = FLOPsPerSecond(1e15)

  @Test func `traffic over bandwidth is time, and back`() {
    let time: Seconds = size / bandwidth
    #expect(time == Seconds(2.0))
    #expect(bandwidth * time == size)
    #expect(size / time == bandwidth)
  }

  @Test func `work over rate is time, and back`() {
    let time: Seconds = work / rate
    #expect(time == Seconds(8.0))
    #expect(work / time == rate)
  }

  @Test func `the ridge point is peak over bandwidth, and intensity work over traffic`() {
    #expect(close((rate / bandwidth).value, 1000.0 / 3, within: 1e-12))
    #expect(close((work / size).value, 8000.0 / 6, within: 1e-12))
  }

  @Test func `a kernel at the ridge point takes as long to compute as to move`() {
    let traffic = Bytes(1e9)
    let flops = FLOPs(traffic.value * (rate / bandwidth).value)
    #expect(close((flops / rate).value, (traffic / bandwidth).value, within: 1e-12))
  }

  @Test func `energy is power times time and divides back into power`() {
    #expect(Watts(700.0) * Seconds(60.0) == Joules(42000.0))
    #expect(Joules(42000.0) / Seconds(60.0) == Watts(700.0))
  }

  @Test func `energy is also paid by the byte and by the operation`() {
    #expect(Bytes(1e12) * JoulesPerByte(4e-12) == Joules(4.0))
    #expect(FLOPs(2e12) * JoulesPerFLOP(0.5e-12) == Joules(1.0))
  }

  @Test func `rent is by the hour and time in seconds`() {
    #expect(DollarsPerHour(3.0) * Seconds(1800.0) == Dollars(1.5))
  }

  @Test func `like quantities add, subtract, scale, compare and divide to a number`() {
    var total = Bytes(3) + Bytes(4) - Bytes(2)
    total += Bytes(1)
    total -= Bytes(2)
    #expect(total == Bytes(4))
    #expect(total * 2.0 == 2.0 * total && total * 2.0 / 4.0 == Bytes(2))
    #expect(Bytes(6) / Bytes(4) == 1.5)
    #expect(Bytes(1) < Bytes(2) && max(Bytes(1), .zero) == Bytes(1))
    #expect([1.0, 2.0, 3.5].sum { Watts($0) } == Watts(6.5))
  }
}
