import EventKernel
import Testing

@testable import Statistics

@Suite struct BatchMeansTests {
  /// How many of so many intervals hold the truth.
  private func coverage(of truth: Double, runs: Int, _ interval: (Int) -> Interval?) throws -> Double {
    var hits = 0
    for seed in 0..<runs where !(try #require(interval(seed)).excludes(truth)) { hits += 1 }
    return Double(hits) / Double(runs)
  }

  @Test func `batches hold equal numbers and merge when places run out`() {
    var means = BatchMeans(least: 2)
    var sizes: [Int] = []
    for value in 1...9 {
      means.add(Double(value))
      sizes.append(means.batchSize)
    }
    #expect(sizes == [1, 1, 1, 2, 2, 2, 2, 4, 4])
    #expect(means.means == [2.5, 6.5] && means.count == 9)
  }

  @Test func `the interval of few numbers is Student's`() throws {
    var means = BatchMeans()
    for value in [2.0, 4, 6, 8] { means.add(value) }
    let state = try #require(means.steadyState(confidence: 0.95))
    // Mean 5, standard deviation sqrt(20/3), t(3) = 3.182.
    #expect(state.interval.estimate == 5)
    #expect(abs(state.interval.halfWidth - 3.182446 * (20.0 / 3 / 4).squareRoot()) < 1e-5)
    #expect(state.batches == 4 && state.observations == 4 && state.warmUp == 0)
  }

  @Test func `there is no interval before there are two batches`() {
    var means = BatchMeans()
    #expect(means.steadyState(confidence: 0.95) == nil)
    means.add(1)
    #expect(means.steadyState(confidence: 0.95) == nil)
  }

  @Test func `equal observations have an interval of no width`() throws {
    var means = BatchMeans()
    for _ in 0..<1000 { means.add(3) }
    let interval = try #require(means.steadyState(confidence: 0.99)).interval
    #expect(interval.estimate == 3 && interval.halfWidth == 0)
  }

  @Test(arguments: [(0.0, 2000), (0.9, 10_000)])
  func `intervals hold the true mean about as often as they say`(correlation: Double, count: Int) throws {
    let share = try coverage(of: 0, runs: 200) { seed in
      var series = Autoregressive(correlation: correlation, seed: seed)
      var means = BatchMeans()
      for _ in 0..<count { means.add(series.next()) }
      return means.steadyState(confidence: 0.95)?.interval
    }
    #expect((0.91...0.985).contains(share))
  }

  @Test func `a slow start is cut off`() throws {
    var settled = 0
    let share = try coverage(of: 0, runs: 80) { seed in
      var series = Autoregressive(correlation: 0.995, seed: seed, start: 60)
      var means = BatchMeans()
      for _ in 0..<20_000 { means.add(series.next()) }
      guard let state = means.steadyState(confidence: 0.95), state.warmUp > 200 else { return nil }
      settled += state.settled ? 1 : 0
      return state.interval
    }
    #expect(share >= 0.86 && settled >= 74)
  }

  @Test func `a series that never settles is told from one that does`() throws {
    var rising = BatchMeans()
    var level = BatchMeans()
    for index in 0..<5000 {
      rising.add(Double(index))
      level.add(Double(index % 4))
    }
    let (first, second) = (rising.steadyState(confidence: 0.95), level.steadyState(confidence: 0.95))
    #expect(try #require(first).settled == false && (try #require(first)).correlation > 0.5)
    #expect(try #require(second).settled && (try #require(second)).interval.estimate == 1.5)
  }

  @Test(arguments: [(0.5, 0.6931471805599453), (0.9, 2.302585092994046), (0.99, 4.605170185988092)])
  func `percentiles of exponentials lie in their intervals about as often as they say`(
    share: Double, truth: Double
  ) throws {
    let found = try coverage(of: truth, runs: 100) { seed in
      var stream = RandomStream(seed: UInt64(seed), name: "exponential")
      var quantile = BatchQuantile(LogBins(range: 1e-4...100))
      for _ in 0..<10_000 { quantile.add(stream.exponential()) }
      return quantile.quantile(share, confidence: 0.95)
    }
    #expect(found >= 0.88)
  }

  @Test func `percentiles of a correlated series lie in their intervals about as often as they say`() throws {
    // exp of a normal; its 95th percentile is e^1.645.
    let found = try coverage(of: 5.18052, runs: 80) { seed in
      var series = Autoregressive(correlation: 0.9, seed: seed)
      var quantile = BatchQuantile(LogBins(range: 1e-4...1000))
      for _ in 0..<20_000 { quantile.add(PortableMath.exp(series.next())) }
      return quantile.quantile(0.95, confidence: 0.95)
    }
    #expect(found >= 0.86)
  }

  @Test func `a percentile that too few observations lie beyond has no interval`() {
    var quantile = BatchQuantile(LogBins(range: 1e-4...100))
    for index in 1...2000 { quantile.add(Double(index)) }
    #expect(quantile.quantile(0.9, confidence: 0.95) != nil && quantile.quantile(0.999, confidence: 0.95) == nil)
    #expect(BatchQuantile(LogBins(range: 1...2)).quantile(0.5, confidence: 0.9) == nil)
  }

  @Test(arguments: 0..<20) func `a histogram's percentile is at most a bin from the true one`(seed: Int) throws {
    var stream = RandomStream(seed: UInt64(seed), name: "histogram")
    var histogram = LogHistogram(LogBins(range: 1e-3...1e3, ratio: 0.02))
    let values = (0..<500).map { _ in PortableMath.exp(stream.normal()) }
    for value in values { histogram.add(value) }
    for share in [0, 0.01, 0.25, 0.5, 0.9, 0.99, 1] {
      let rank = max(1, Int((share * 500).rounded(.up)))
      let exact = values.sorted()[rank - 1]
      #expect(abs(try #require(histogram.quantile(share)) / exact - 1) <= 0.0201)
    }
  }

  @Test func `histograms add up, and values beyond the bins are not lost`() throws {
    let bins = LogBins(range: 1...10)
    var (first, second, both) = (LogHistogram(bins), LogHistogram(bins), LogHistogram(bins))
    for value in [0.0, 2, 5] { first.add(value) }
    for value in [3.0, 700] { second.add(value) }
    for value in [0.0, 2, 5, 3, 700] { both.add(value) }
    first.merge(second)
    for share in stride(from: 0.0, through: 1, by: 0.1) { #expect(first.quantile(share) == both.quantile(share)) }
    #expect(first.total == 5 && first.quantile(0.5).map { abs($0 - 3) < 0.06 } == true)
  }
}
