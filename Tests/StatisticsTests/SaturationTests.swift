import EventKernel
import Testing

@testable import Statistics

@Suite struct SaturationTests {
  /// Judges a queue from its arrivals and departures, in order of time, as an engine would tell of them.
  private func judge(_ queue: SingleServerQueue, customers: Int) -> Saturation {
    var queue = queue
    var series = BacklogSeries()
    var departures: [Int64] = []
    var next = 0
    for _ in 0..<customers {
      let visit = queue.next()
      let arrival = Int64(visit.arrival * 1e9)
      while next < departures.count, departures[next] <= arrival {
        series.leave(at: departures[next])
        next += 1
      }
      series.arrive(at: arrival)
      departures.append(Int64(visit.departure * 1e9))
    }
    for departure in departures[next...] { series.leave(at: departure) }
    return Saturation(series)
  }

  private func verdicts(
    load: Double, runs: Int, customers: Int, gap: @escaping (inout RandomStream) -> Double = { $0.exponential() }
  ) -> [Saturation.Verdict] {
    (0..<runs).map { judge(SingleServerQueue(rate: load, seed: $0, gap: gap), customers: customers).verdict }
  }

  @Test(arguments: [0.3, 0.8, 0.95]) func `a queue below its capacity is stable in every run`(load: Double) {
    #expect(verdicts(load: load, runs: 100, customers: 5000).allSatisfy { $0 == .stable })
  }

  @Test(arguments: [1.1, 1.5, 4]) func `a queue above its capacity is saturated in every run`(load: Double) {
    let saturated = verdicts(load: load, runs: 40, customers: 10_000).count { $0 == .saturated }
    #expect(saturated == 40)
  }

  @Test func `a queue exactly at its capacity raises few alarms`() {
    let saturated = verdicts(load: 1, runs: 200, customers: 5000).count { $0 == .saturated }
    #expect(saturated <= 2)
  }

  @Test func `bursts do not pass for growth`() {
    // Gamma gaps of shape 1/16: sixteen times the variance of a Poisson stream.
    let gap = { (stream: inout RandomStream) in stream.gamma(shape: 0.0625) * 16 }
    #expect(verdicts(load: 0.8, runs: 60, customers: 10_000, gap: gap).count { $0 == .saturated } == 0)
    let above = verdicts(load: 1.5, runs: 40, customers: 10_000, gap: gap).count { $0 == .saturated }
    #expect(above >= 38)
  }

  @Test func `the numbers of a saturated run are its rates`() {
    let result = judge(SingleServerQueue(rate: 1.5, seed: 1), customers: 20_000)
    #expect(result.verdict == .saturated)
    #expect(abs(result.arrivalsPerSecond - 1.5) < 0.05 && abs(result.completionsPerSecond - 1) < 0.05)
    #expect(abs(result.growthPerSecond - 0.5) < 0.05)
    // From a quarter of the run to its end the line rises by 3/4 and is 5/8 high in the middle.
    #expect(abs(result.relativeGrowth - 1.2) < 0.1)
  }

  @Test func `few requests decide nothing`() {
    #expect(judge(SingleServerQueue(rate: 2, seed: 1), customers: 20).verdict == .undecided)
    #expect(Saturation(BacklogSeries()).verdict == .undecided)
  }

  @Test func `arrivals in step with services are stable, and faster ones are not`() {
    func regular(gap: Int64, service: Int64) -> Saturation {
      var series = BacklogSeries(width: 10)
      var (arrival, departure): (Int64, Int64) = (0, service)
      while arrival < 100_000 {
        if arrival <= departure {
          series.arrive(at: arrival)
          arrival += gap
        } else {
          series.leave(at: departure)
          departure += service
        }
      }
      return Saturation(series)
    }
    #expect(regular(gap: 10, service: 10).verdict == .stable)
    #expect(regular(gap: 10, service: 13).verdict == .saturated)
  }

  @Test func `the series keeps area and counts while bins merge`() {
    var series = BacklogSeries(least: 4, width: 1)
    series.arrive(at: 0)
    series.arrive(at: 3)
    series.leave(at: 10)
    series.arrive(at: 40)
    // Eight bins cover 40 ns when each is 8 long; the last arrival opens the sixth.
    #expect(series.whileArriving.width == 8 && series.whileArriving.bins.count == 5)
    // One request from 0, two from 3, one from 10 to 40.
    #expect(series.whileArriving.bins.map(\.area) == [13, 10, 8, 8, 8])
    #expect(series.whileArriving.bins.map(\.arrivals) == [2, 0, 0, 0, 0])
    #expect(series.whileArriving.bins.map(\.completions) == [0, 1, 0, 0, 0])
    // Running empty does not blur what was seen while requests came.
    series.leave(at: 100_000)
    #expect(series.whileArriving.bins.map(\.area) == [13, 10, 8, 8, 8])
    series.arrive(at: 100_001)
    #expect(series.whileArriving.width > 8)
  }
}
