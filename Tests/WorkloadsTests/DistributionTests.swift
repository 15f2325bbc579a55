import EventKernel
import Testing

@testable import Workloads

/// Draws against closed forms.
@Suite struct DistributionTests {
  private func draws(_ lengths: LengthDistribution, _ count: Int = 200_000) -> [Double] {
    var stream = RandomStream(seed: 11, name: "lengths")
    return (0..<count).map { _ in Double(lengths.draw(&stream)) }
  }

  private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

  private func variance(_ values: [Double]) -> Double {
    let middle = mean(values)
    return mean(values.map { ($0 - middle) * ($0 - middle) })
  }

  @Test(arguments: [0, 0.7, 1, 2.5])
  func `Zipf shares fall as the power asked for`(exponent: Double) {
    let range = 3...50
    let values = draws(.zipf(ZipfTable(range: range, exponent: exponent)))
    let weights = range.map { PortableMath.exp(-exponent * PortableMath.log(Double($0))) }
    let total = weights.reduce(0, +)
    for (number, weight) in zip(range, weights) {
      let expected = weight / total * Double(values.count)
      let found = Double(values.count { $0 == Double(number) })
      #expect(abs(found - expected) < 5 * expected.squareRoot() + 1, "\(number)")
    }
  }

  @Test func `the largest Zipf table keeps to its range`() {
    let table = ZipfTable(range: 1...ZipfTable.largestCount, exponent: 1.1)
    #expect(table.number(uniform: 0) == 1)
    #expect(table.number(uniform: 1.0.nextDown) == ZipfTable.largestCount)
  }

  @Test func `Pareto lengths have the mean of the closed form`() {
    let values = draws(.pareto(.init(shape: 1.5, range: 100...10_000)))
    // a / (a - 1) x L (1 - (L/H)^(a-1)) / (1 - (L/H)^a) = 3 x 100 x 0.9 / 0.999
    #expect(abs(mean(values) / (3 * 100 * 0.9 / 0.999) - 1) < 0.02)
    #expect(values.allSatisfy { (100...10_000).contains($0) })
    let median = values.sorted()[values.count / 2]
    #expect(abs(median / (100 * PortableMath.power(1 - 0.5 * 0.999, -1 / 1.5)) - 1) < 0.01)
  }

  @Test func `geometric counts have the mean and variance of the closed form`() {
    let values = draws(.geometric(.init(mean: 4, largest: 1_000_000)))
    #expect(abs(mean(values) / 4 - 1) < 0.01)
    #expect(abs(variance(values) / (4 * 3) - 1) < 0.03)  // m (m - 1)
    #expect(draws(.geometric(.init(mean: 1, largest: 9)), 100).allSatisfy { $0 == 1 })
    #expect(draws(.geometric(.init(mean: 50, largest: 9)), 1000).max() == 9)
  }

  @Test func `a mixture draws its parts by weight`() {
    let values = draws(
      .mixture(.init(parts: [.init(weight: 3, lengths: .fixed(10)), .init(weight: 1, lengths: .uniform(100...199))])))
    #expect(abs(Double(values.count { $0 == 10 }) / Double(values.count) - 0.75) < 0.005)
    #expect(abs(mean(values) / (0.75 * 10 + 0.25 * 149.5) - 1) < 0.01)
  }

  @Test func `places of the normal give the same distribution as draws`() {
    for lengths in [
      LengthDistribution.zipf(ZipfTable(range: 1...100, exponent: 1)), .pareto(.init(shape: 2, range: 10...1000)),
      .geometric(.init(mean: 6, largest: 1000)),
    ] {
      var stream = RandomStream(seed: 4, name: "places")
      let placed = (0..<100_000).map { _ in Double(lengths.tokens(normal: stream.normal())) }
      #expect(abs(mean(placed) / mean(draws(lengths)) - 1) < 0.02)
    }
  }

  @Test(arguments: [
    (DurationDistribution.fixed(seconds: 3), 3.0, 0.0), (.uniform(2...6), 4, 16.0 / 12), (.exponential(mean: 5), 5, 25),
    (.pareto(smallest: 1, shape: 4), 4.0 / 3, 4.0 / 18),
    (
      .lognormal(median: 2, sigma: 0.5), 2 * PortableMath.exp(0.125),
      4 * PortableMath.exp(0.25) * (PortableMath.exp(0.25) - 1)
    ),
  ])
  func `durations have the mean and variance of the closed form`(
    durations: DurationDistribution, expected: Double, spread: Double
  ) {
    var stream = RandomStream(seed: 2, name: "durations")
    let seconds = (0..<200_000).map { _ in Double(durations.draw(&stream)) / 1e9 }
    #expect(abs(mean(seconds) / expected - 1) < 0.01)
    #expect(abs(variance(seconds) - spread) <= 0.12 * spread + 1e-9)
  }

  @Test func `choosers go round, or choose as often as asked`() {
    var stream = RandomStream(seed: 9, name: "choice")
    var cycle = Chooser(.cycle, count: 3)
    #expect((0..<7).map { _ in cycle.next(&stream) } == [0, 1, 2, 0, 1, 2, 0])
    var uniform = Chooser(.uniform, count: 4)
    var zipf = Chooser(.zipf(ZipfTable(range: 1...2, exponent: 1)), count: 2)
    let evenly = (0..<40_000).map { _ in uniform.next(&stream) }
    #expect((0..<4).allSatisfy { place in abs(evenly.count { $0 == place } - 10_000) < 400 })
    let first = (0..<30_000).count { _ in zipf.next(&stream) == 0 }
    #expect(abs(first - 20_000) < 400)
  }
}
