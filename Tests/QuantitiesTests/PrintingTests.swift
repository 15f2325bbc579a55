import EventKernel
import Testing

@testable import Quantities

@Suite struct PrintingTests {
  @Test(arguments: [
    (3.35e12, "3.35 TB/s"), (80e9, "80 GB/s"), (1, "1 B/s"), (0, "0 B/s"), (-2.5e6, "-2.5 MB/s"), (1e18, "1 EB/s"),
    (1234, "1.23 kB/s"), (0.0456, "45.6 mB/s"), (123_456_789, "123 MB/s"), (4e21, "4000 EB/s"),
  ])
  func `three digits are printed with the prefix that suits`(value: Double, text: String) {
    #expect(BytesPerSecond(value).description == text)
  }

  @Test(arguments: [
    (999.4e9, "999 GB"), (999.96e9, "1 TB"), (999.9996e9, "1 TB"), (0.99999e12, "1 TB"), (-999.9e6, "-1 GB"),
    (999.999, "1 kB"), (0.99996, "1 B"), (999.9e18, "1000 EB"),
  ])
  func `a number that rounds up to a thousand takes the next prefix`(value: Double, text: String) {
    #expect(Bytes(value).description == text)
  }

  @Test func `more digits move the point at which the next prefix begins`() {
    #expect(Bytes(999.96e9).formatted(significantDigits: 4) == "1 TB")
    #expect(Bytes(999.96e9).formatted(significantDigits: 5) == "999.96 GB")
  }

  @Test func `small numbers reach down to femto and then take an exponent`() {
    #expect(JoulesPerByte(4.1e-12).description == "4.1 pJ/B")
    #expect(JoulesPerByte(4.1e-14).description == "41 fJ/B")
    #expect(JoulesPerByte(4.1e-16).description == "0.41 fJ/B")
    #expect(JoulesPerByte(1e-40).description.hasSuffix(" fJ/B"))
  }

  @Test func `units without prefixes stay as they are`() {
    #expect(Dollars(30000).description == "30000 USD")
    #expect(DollarsPerHour(2.99).description == "2.99 USD/h")
    #expect(DollarsPerHour(0).description == "0 USD/h")
  }

  @Test func `what is not finite prints without a prefix`() {
    #expect(Seconds(.infinity).description == "inf s")
    #expect(Seconds(.nan).description == "nan s")
  }

  @Test(arguments: [
    (0, 3, "0"), (1, 3, "1"), (-1, 3, "-1"), (0.5, 1, "0.5"), (1.005, 2, "1"), (9.996, 3, "10"), (0.9999, 3, "1"),
    (123_456, 3, "123456"), (0.000_123_4, 3, "0.000123"), (1e-17, 1, "0.00000000000000001"), (-0.0, 3, "0"),
    (100, 3, "100"), (1500, 2, "1500"), (2.50, 3, "2.5"),
  ])
  func `a rounded text keeps its digits and no zeros after them`(value: Double, digits: Int, text: String) {
    #expect(roundedText(value, significantDigits: digits) == text)
  }

  @Test(arguments: [1.5e20, 2e30, 1.5e-20, 1e-30, Double.leastNonzeroMagnitude, 1.797e308, -3.25e20])
  func `a rounded text of a huge or tiny number still means that number`(value: Double) {
    #expect(Double(roundedText(value, significantDigits: 4)) == value)
  }

  @Test(arguments: [
    (1.25, 1, "1.3"), (-1.25, 1, "-1.3"), (0.049, 1, "0.0"), (-0.049, 1, "0.0"), (2, 0, "2"), (2.5, 0, "3"),
    (0, 2, "0.00"), (1.02, 3, "1.020"), (999.999, 2, "1000.00"), (0.001, 2, "0.00"),
  ])
  func `a fixed text has its decimals and no negative zero`(value: Double, decimals: Int, text: String) {
    #expect(fixedText(value, decimals: decimals) == text)
  }

  @Test(arguments: [0, 0.5, 1e14, 1e15, -1e15, 1e300, Double.leastNonzeroMagnitude], [0, 1, 9, 18, 19, 20, 40, 400])
  func `a fixed text of any number with any decimals is a number`(value: Double, decimals: Int) throws {
    let number = try #require(Double(fixedText(value, decimals: decimals)))
    #expect(abs(number - value) <= 0.5)
  }

  private func expectRoundTrip<D>(_: Quantity<D>.Type, from low: Double, to high: Double) throws {
    var stream = RandomStream(seed: 7, name: "print.\(D.title)")
    for digits in 3...6 {
      for _ in 0..<200 {
        let exponent = low + (high - low) * stream.uniform()
        let value = Self.power(exponent) * (stream.uniform() < 0.2 ? -1 : 1)
        let text = Quantity<D>(value).formatted(significantDigits: digits)
        let back = try Quantity<D>(parsing: text).value
        #expect(close(back, value, within: 0.5001 * Self.power(Double(1 - digits))), "\(value) as \(text)")
      }
    }
  }

  private static func power(_ exponent: Double) -> Double {
    var value = PortableMath.exp(exponent * 2.302585092994046)
    if !value.isFinite { value = 1 }
    return value
  }

  @Test func `random values survive print and parse to the printed digits`() throws {
    try expectRoundTrip(Seconds.self, from: -15, to: 21)
    try expectRoundTrip(Bytes.self, from: -15, to: 21)
    try expectRoundTrip(BytesPerSecond.self, from: -12, to: 24)
    try expectRoundTrip(FLOPs.self, from: 0, to: 40)
    try expectRoundTrip(FLOPsPerSecond.self, from: 0, to: 40)
    try expectRoundTrip(FLOPsPerByte.self, from: -6, to: 6)
    try expectRoundTrip(Watts.self, from: -6, to: 12)
    try expectRoundTrip(Joules.self, from: -15, to: 15)
    try expectRoundTrip(JoulesPerByte.self, from: -30, to: 0)
    try expectRoundTrip(JoulesPerFLOP.self, from: -30, to: 0)
    try expectRoundTrip(Hertz.self, from: 0, to: 12)
    try expectRoundTrip(Dollars.self, from: -9, to: 12)
    try expectRoundTrip(DollarsPerHour.self, from: -9, to: 12)
  }
}
