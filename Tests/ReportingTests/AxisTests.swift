import EventKernel
import Testing

@testable import Reporting

@Suite struct AxisTests {
  /// Ranges from 1e-80 to 1e80, negative and positive.
  private func randomRange(_ stream: inout RandomStream) -> ClosedRange<Double> {
    let size = Ticks.power(stream.integer(below: 160) - 80)
    let ends = [(stream.uniform() - 0.5) * size, (stream.uniform() - 0.3) * size].sorted()
    return ends[0]...ends[1]
  }

  @Test(arguments: 0..<300) func `linear ticks are round, even, few and inside, and the domain holds the data`(
    seed: Int
  ) {
    var stream = RandomStream(seed: UInt64(seed), name: "ticks")
    let data = randomRange(&stream)
    let axis = Axis("a")
    let domain = axis.domain(of: [data.lowerBound, data.upperBound], steps: 6)
    let size = domain.upperBound - domain.lowerBound
    #expect(domain.lowerBound <= data.lowerBound + 1e-9 * size && domain.upperBound >= data.upperBound - 1e-9 * size)
    #expect(size <= 2 * (data.upperBound - data.lowerBound) * (1 + 1e-9))
    let step = Ticks.step(span: size, steps: 6)
    let ticks = Ticks.linear(domain, step: step)
    #expect((2...7).contains(ticks.count))
    let lead = step / Ticks.power(Ticks.exponent(step))
    #expect([1.0, 2, 5].contains { abs(lead - $0) < 1e-9 })
    #expect(zip(ticks, ticks.dropFirst()).allSatisfy { abs($1 - $0 - step) < 1e-6 * step })
  }

  @Test(arguments: 0..<300) func `logarithmic ticks are few, ascending, round and inside`(seed: Int) {
    var stream = RandomStream(seed: UInt64(seed), name: "log ticks")
    let low = PortableMath.exp((stream.uniform() - 0.5) * 100)
    let high = low * PortableMath.exp(stream.uniform() * 40)
    let domain = Axis("a", kind: .logarithmic).domain(of: [low, high], steps: 6)
    #expect(domain.lowerBound <= low * 1.000001 && domain.upperBound >= high * 0.999999)
    let ticks = Ticks.logarithmic(domain, limit: 7)
    #expect((1...7).contains(ticks.count))
    #expect(zip(ticks, ticks.dropFirst()).allSatisfy { $0 < $1 })
    #expect(ticks.allSatisfy { $0 >= domain.lowerBound * 0.999999 && $0 <= domain.upperBound * 1.000001 })
  }

  @Test(arguments: [
    (10.0, 5, 2.0), (1, 5, 0.2), (0.9, 3, 0.5), (7, 7, 1), (1001, 10, 200), (3e-9, 4, 1e-9), (1, 3, 0.5), (2.1, 2, 2),
  ])
  func `steps are the least of 1, 2, 5 that suffice`(span: Double, steps: Int, expected: Double) {
    #expect(Ticks.step(span: span, steps: steps) == expected)
  }

  @Test func `ticks are the doubles that one would write`() {
    #expect(Ticks.linear(0...0.7, step: 0.1) == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    #expect(Ticks.linear(-2...4, step: 2) == [-2, 0, 2, 4])
    #expect(Ticks.logarithmic(0.1...10, limit: 7) == [0.1, 0.2, 0.5, 1, 2, 5, 10])
    #expect(Ticks.logarithmic(0.001...1000, limit: 4) == [0.01, 1, 100])
  }

  @Test func `a scale is straight in the value or in its logarithm`() {
    let linear = Scale(kind: .linear, domain: -1...3, start: 100, end: 0)
    #expect(linear.position(-1) == 100 && linear.position(0) == 75 && linear.position(3) == 0)
    let logarithmic = Scale(kind: .logarithmic, domain: 1...10000, start: 0, end: 8)
    #expect(abs(logarithmic.position(100) - 4) < 1e-12 && abs(logarithmic.position(1000) - 6) < 1e-12)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, 1e300, -1e300])
  func `no axis has a place for what cannot be scaled`(value: Double) {
    #expect(!Axis("a").accepts(value) && !Axis("a", kind: .logarithmic).accepts(value))
  }

  @Test(arguments: [0, -1, -0.0, 1e-300]) func `a logarithmic axis has no place at zero`(value: Double) {
    #expect(Axis("a").accepts(value) && !Axis("a", kind: .logarithmic).accepts(value))
  }

  @Test(arguments: [0.0, 5, -5, 1e-95, 1e89]) func `one value has a domain around it`(value: Double) {
    let domain = Axis("a").domain(of: [value], steps: 6)
    #expect(domain.contains(value) && domain.lowerBound < domain.upperBound)
  }

  @Test func `labels share a prefix on linear axes and have their own on logarithmic ones`() {
    func axis(_ axis: Axis, _ values: [Double]) -> ScaledAxis {
      let domain = axis.domain(of: values, steps: 6)
      return ScaledAxis(axis, Scale(kind: axis.kind, domain: domain, start: 0, end: 1), limit: 7)
    }
    let linear = axis(Axis("TTFT", unit: .seconds), [0, 0.025])
    #expect(linear.title == "TTFT (ms)" && linear.ticks.map(\.label) == ["0", "5", "10", "15", "20", "25"])
    let fine = axis(Axis("TTFT", unit: .seconds), [0, 1.2])
    #expect(fine.title == "TTFT (s)" && fine.ticks.first?.label == "0.0" && fine.ticks.last?.label == "1.2")
    let logarithmic = axis(Axis("TTFT", unit: .seconds, kind: .logarithmic), [0.0001, 10])
    #expect(logarithmic.title == "TTFT")
    #expect(logarithmic.ticks.map(\.label) == ["100 us", "1 ms", "10 ms", "100 ms", "1 s", "10 s"])
    let plain = axis(Axis("Rate", unit: AxisUnit("1/s"), kind: .logarithmic), [10, 1_000_000])
    #expect(plain.title == "Rate (1/s)" && plain.ticks.map(\.label).suffix(3) == ["10k", "100k", "1M"])
    #expect(axis(Axis("Share", unit: .percent), [0, 1]).ticks.map(\.label).last == "100")
  }

  @Test(arguments: [
    (AxisUnit.seconds, 0.0123, "12.3 ms"), (.bytes, 80e9, "80 GB"), (.percent, 0.125, "12.5 %"), (.none, 1234, "1,234"),
    (.none, 0, "0"), (.seconds, 0, "0 s"), (.joules, 0.99996, "1 J"), (AxisUnit("USD/h"), 2.5, "2.5 USD/h"),
  ])
  func `single values carry their unit`(unit: AxisUnit, value: Double, text: String) {
    #expect(unit.text(value) == text)
  }

  @Test func `text breaks between words and long words are cut`() {
    let style = TextStyle(size: 10)
    let lines = TextMetrics.lines("alpha beta gamma delta", width: 70, style)
    #expect(lines.count > 1 && lines.joined(separator: " ") == "alpha beta gamma delta")
    #expect(lines.allSatisfy { TextMetrics.width($0, style) <= 70 })
    let cut = TextMetrics.fitted(String(repeating: "w", count: 50), width: 60, style)
    #expect(cut.hasSuffix("…") && TextMetrics.width(cut, style) <= 60)
    #expect(TextMetrics.fitted("short", width: 60, style) == "short")
  }
}
