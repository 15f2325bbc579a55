import EventKernel
import Testing

@testable import Statistics

@Suite struct FluidityIndexTests {
  private static let millisecond: Int64 = 1_000_000

  private static let published: [(gaps: [Int64], missed: Int64, total: Int64)] = [
    ([100, 50, 50], 0, 3), ([50, 100, 50], 0, 3), ([100, 260, 50], 5, 7), ([500], 9, 9), ([300, 50], 5, 6),
    ([10] + Array(repeating: 20, count: 10) + [300] + Array(repeating: 20, count: 5), 0, 17),
  ]

  @Test(arguments: published.indices) func `misses agree with the published checks`(index: Int) {
    let (gaps, missed, total) = Self.published[index]
    var fluidity = FluidityIndex()
    for gap in gaps { fluidity.add(gap: gap * Self.millisecond) }
    #expect(fluidity.missed == missed && fluidity.total == total)
    #expect(fluidity.index == 1 - Double(missed) / Double(total))
  }

  @Test func `a request without tokens has no index`() {
    #expect(FluidityIndex().index == nil && FluidityIndex().missRate == nil)
  }

  @Test(arguments: 0..<200) func `equal gaps together count as one after another`(seed: Int) {
    var stream = RandomStream(seed: UInt64(seed), name: "gaps")
    var (single, together) = (
      FluidityIndex(.init(first: 30, between: 10)), FluidityIndex(.init(first: 30, between: 10))
    )
    for _ in 0..<20 {
      let gap = Int64(stream.integer(below: 40))
      let count = stream.integer(below: 30)
      for _ in 0..<count { single.add(gap: gap) }
      together.add(gap: gap, count: count)
      #expect(single.missed == together.missed && single.total == together.total)
    }
  }

  @Test func `deadlines beyond all slack do not overflow`() {
    var fluidity = FluidityIndex(.init(first: .max / 2, between: .max / 2))
    fluidity.add(gap: 1, count: 1_000_000_000)
    fluidity.add(gap: .max / 2)
    #expect(fluidity.missed == 0 && fluidity.total == 1_000_000_001)
  }

  /// The share of misses at every possible deadline, by the definition.
  private func missShare(_ runs: [FluidTokenRate.Run], _ between: Int64) -> Double {
    var index = FluidityIndex(between: between)
    for run in runs { for _ in 0..<run.count { index.add(gap: run.gap) } }
    return index.missRate ?? 0
  }

  @Test(arguments: 0..<200) func `the deadline of a request is the smallest that meets the share`(seed: Int) throws {
    var stream = RandomStream(seed: UInt64(seed), name: "runs")
    let runs: [FluidTokenRate.Run] = (0..<8).map { _ in
      (Int64(stream.integer(below: 60)), 1 + stream.integer(below: 6))
    }
    let deadline = try #require(FluidTokenRate.deadline(runs))
    let smallest = try #require((1...60).first { missShare(runs, $0) <= 0.1 })
    #expect(deadline == smallest)
  }

  private func runs(_ runs: [FluidTokenRate.Run]) -> [FluidTokenRate.Run] { runs }

  @Test func `deadlines of plain requests are known by hand`() {
    #expect(FluidTokenRate.deadline(runs([(50, 1000)])) == 50)
    // No miss once nine gaps of 10 have saved enough for one of 140: 9 (D - 10) + D >= 140.
    #expect(FluidTokenRate.deadline(runs([(10, 9), (140, 1)]), misses: 0) == 23)
    #expect(FluidTokenRate.deadline(runs([(0, 5)])) == 1)
    #expect(FluidTokenRate.deadline(runs([])) == nil)
  }

  @Test func `the token rate is one over the 99th percentile by nearest rank`() {
    let deadlines = (1...200).map { Int64($0) * Self.millisecond }
    #expect(FluidTokenRate.tokensPerSecond(deadlines.reversed()) == 1 / 0.198)
    #expect(FluidTokenRate.tokensPerSecond([20_000_000]) == 50)
    #expect(FluidTokenRate.tokensPerSecond([]) == nil)
  }
}
