import EventKernel
import Testing

@testable import Statistics

@Suite struct PairedDifferenceTests {
  /// Two runs on the same correlated load, the second a little slower and finishing in another order.
  private func runs(seed: Int, count: Int, factor: Double) -> (NumberedBatches, NumberedBatches) {
    var load = Autoregressive(correlation: 0.95, seed: seed)
    var noise = RandomStream(seed: UInt64(seed), name: "noise")
    var (first, second) = (NumberedBatches(), NumberedBatches())
    let values = (0..<count).map { _ in 10 + load.next() }
    for (number, value) in values.enumerated() { first.add(value, number: number) }
    for number in Array(stride(from: 0, to: count, by: 2)) + Array(stride(from: 1, to: count, by: 2)) {
      second.add(values[number] * factor + 0.1 * noise.normal(), number: number)
    }
    return (first, second)
  }

  @Test func `the order in which requests finish does not matter`() throws {
    var (forwards, backwards) = (NumberedBatches(least: 4), NumberedBatches(least: 4))
    for number in 0..<37 { forwards.add(Double(number), number: number) }
    for number in (0..<37).reversed() { backwards.add(Double(number), number: number) }
    #expect(forwards.span == backwards.span && forwards.full.map(\.mean) == backwards.full.map(\.mean))
    let difference = try #require(PairedDifference(forwards, backwards).difference(confidence: 0.9))
    #expect(difference.estimate == 0 && difference.halfWidth == 0)
  }

  @Test func `intervals hold the true difference and ratio about as often as they say`() throws {
    var hits = (difference: 0, ratio: 0)
    for seed in 0..<200 {
      let (first, second) = runs(seed: seed, count: 2000, factor: 1.02)
      let paired = PairedDifference(first, second)
      // The true mean is 10, so the second run's is 10.2.
      if !(try #require(paired.difference(confidence: 0.95))).excludes(0.2) { hits.difference += 1 }
      if !(try #require(paired.ratio(confidence: 0.95))).excludes(1.02) { hits.ratio += 1 }
    }
    #expect((180...198).contains(hits.difference) && (180...198).contains(hits.ratio))
  }

  @Test func `pairing tells a difference that two intervals cannot`() throws {
    let (first, second) = runs(seed: 1, count: 2000, factor: 1.02)
    let difference = try #require(PairedDifference(first, second).difference(confidence: 0.95))
    #expect(difference.excludes(0))
    let alone = [first, second].compactMap { Interval.student($0.full.map(\.mean), confidence: 0.95) }
    #expect(alone[0].range.overlaps(alone[1].range))
  }

  @Test func `runs of different length compare what both have`() throws {
    var (short, long) = (NumberedBatches(least: 4), NumberedBatches(least: 4))
    for number in 0..<100 { short.add(1, number: number) }
    for number in 0..<1000 { long.add(number < 100 ? 3 : 1000, number: number) }
    // Batches of 128 in the long run: the short one fills none, so nothing can be compared.
    #expect(PairedDifference(short, long).difference(confidence: 0.95) == nil)
    var same = NumberedBatches(least: 4)
    for number in 0..<100 { same.add(3, number: number) }
    #expect(PairedDifference(short, same).difference(confidence: 0.95)?.estimate == 2)
    #expect(PairedDifference(short, same).ratio(confidence: 0.95)?.estimate == 3)
  }

  @Test func `there is no ratio to nothing`() {
    var (zero, one) = (NumberedBatches(), NumberedBatches())
    for number in 0..<50 {
      zero.add(Double(number % 2) * 2 - 1, number: number)
      one.add(1, number: number)
    }
    #expect(PairedDifference(zero, one).ratio(confidence: 0.95) == nil)
    #expect(PairedDifference(NumberedBatches(), one).difference(confidence: 0.95) == nil)
  }
}
