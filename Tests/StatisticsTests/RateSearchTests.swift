import EventKernel
import Testing

@testable import Statistics

@Suite struct RateSearchTests {
  private struct Broken: Error {}

  private func search(_ settings: RateSearchSettings, capacity: Double) -> RateSearch<Double> {
    RateSearch(settings, trial: { $0 }, meets: { $0 <= capacity })
  }

  @Test(arguments: [0.001, 0.7, 1, 3.14159, 5000]) func `the bracket holds the capacity and is as narrow as asked`(
    capacity: Double
  ) throws {
    let search = search(RateSearchSettings(start: 1, tolerance: 0.005), capacity: capacity)
    let bracket = try #require(search.bracket)
    #expect(search.converged && bracket.lowerBound <= capacity && bracket.upperBound > capacity)
    #expect(bracket.upperBound / bracket.lowerBound <= 1.005)
    #expect(search.trials.count <= 25 && Set(search.trials.map(\.rate)).count == search.trials.count)
  }

  @Test func `limits end a search without a bracket`() {
    let always = search(RateSearchSettings(start: 1, limits: 0.5...100), capacity: 1e6)
    #expect(always.best?.rate == 100 && always.worst == nil && always.bracket == nil && !always.converged)
    let never = search(RateSearchSettings(start: 1, limits: 0.5...100), capacity: 0)
    #expect(never.best == nil && never.worst?.rate == 0.5 && !never.converged)
  }

  @Test func `too few trials leave a wider bracket and say so`() {
    let search = search(RateSearchSettings(start: 1, trials: 4), capacity: 3)
    #expect(search.trials.count == 4 && !search.converged)
  }

  @Test func `what a trial throws comes out`() {
    #expect(throws: Broken.self) {
      _ = try RateSearch(RateSearchSettings(start: 1), trial: { _ -> Int in throw Broken() }, meets: { _ in true })
    }
  }

  /// The 99th percentile of the wait in an M/M/1 queue whose server does one a second, in closed form.
  private func wait99(_ rate: Double) -> Double { rate <= 0.01 ? 0 : PortableMath.log(100 * rate) / (1 - rate) }

  @Test func `a simulated queue's capacity is the closed form's`() throws {
    let objective = wait99(0.8)
    let search = RateSearch(RateSearchSettings(start: 0.1, limits: 0.01...0.99, tolerance: 0.002)) { rate in
      var queue = SingleServerQueue(rate: rate, seed: 5)
      var waits = LogHistogram(LogBins(range: 1e-3...1e4, ratio: 0.005))
      for _ in 0..<100_000 { waits.add(queue.next().wait) }
      return waits.quantile(0.99) ?? 0
    } meets: {
      $0 <= objective
    }
    let bracket = try #require(search.bracket)
    #expect(search.converged && abs(bracket.lowerBound / 0.8 - 1) < 0.02)
  }
}
