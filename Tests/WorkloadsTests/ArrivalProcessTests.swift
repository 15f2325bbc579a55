import EventKernel
import Testing

@testable import Workloads

@Suite struct ArrivalProcessTests {
  private func arrivals(_ process: ArrivalProcess, _ count: Int, seed: UInt64 = 1) -> [Double] {
    var generator = ArrivalGenerator(process, seed: seed)
    return (0..<count).compactMap { _ in generator.next()?.seconds }
  }

  private func moments(_ values: [Double]) -> (mean: Double, deviation: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    return (mean, (values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(values.count)).squareRoot())
  }

  private func gaps(_ arrivals: [Double]) -> [Double] { zip(arrivals.dropFirst(), arrivals).map { $0 - $1 } }

  @Test func `the gamma function has its known values`() {
    var factorial = 1.0
    for n in 1...20 {
      #expect(abs(PortableMath.gamma(Double(n)) / factorial - 1) < 1e-13)
      factorial *= Double(n)
    }
    #expect(abs(PortableMath.gamma(1.5) - 0.886226925452758) < 1e-14)  // sqrt(pi) / 2
  }

  @Test func `sines and cosines of turns have their known values and squares that sum to one`() {
    for (turns, sine) in [(0.0, 0.0), (1.0 / 12, 0.5), (0.25, 1), (0.5, 0), (0.75, -1), (-1.0 / 12, -0.5), (7.25, 1)] {
      #expect(abs(PortableMath.sineCosine(turns: turns).sine - sine) < 4e-15)
    }
    var stream = RandomStream(seed: 1, name: "turns")
    for _ in 0..<1000 {
      let turns = stream.uniform() * 10 - 5
      let (sine, cosine) = PortableMath.sineCosine(turns: turns)
      #expect(abs(sine * sine + cosine * cosine - 1) < 1e-15)
      let double = PortableMath.sineCosine(turns: 2 * turns)
      #expect(abs(double.sine - 2 * sine * cosine) < 2e-14)
    }
  }

  @Test(arguments: [0.5, 1, 2.5])
  func `Weibull gaps have the mean and variation of the closed form`(shape: Double) {
    let (mean, deviation) = moments(gaps(arrivals(.weibull(rate: 4, shape: shape), 200_000)))
    let variation = GapLaw.weibull(shape: shape).variation
    #expect(abs(mean * 4 - 1) < 0.015)
    #expect(abs(deviation / mean / variation - 1) < 0.03)
    if shape == 0.5 { #expect(abs(variation - 5.0.squareRoot()) < 1e-12) }
    if shape == 1 { #expect(abs(variation - 1) < 1e-12) }
    #expect(abs((GapLaw.weibullShape(variation: variation) ?? 0) - shape) < 1e-9)
  }

  @Test func `a diurnal rate follows its cosine`() {
    let period = 1000.0
    let process = ArrivalProcess(
      gaps: .exponential,
      pace: .diurnal(.init(rate: 20, amplitude: 0.8, periodSeconds: period, peakSeconds: 250)))
    let found = arrivals(process, 400_000)
    let cycles = ((found.last ?? 0) / period).rounded(.down)
    var eighths = [Double](repeating: 0, count: 8)
    for arrival in found where arrival < cycles * period {
      eighths[Int(arrival.truncatingRemainder(dividingBy: period) / period * 8)] += 1
    }
    for (part, count) in eighths.enumerated() {
      func sine(_ share: Double) -> Double { PortableMath.sineCosine(turns: share - 0.25).sine }
      let swing = 0.8 / 6.283185307179586 * (sine(Double(part + 1) / 8) - sine(Double(part) / 8))
      let expected = 20 * period * cycles * (1.0 / 8 + swing)
      #expect(abs(count - expected) < 4.5 * expected.squareRoot(), "part \(part)")
    }
  }

  @Test func `a diurnal rate without amplitude is a Poisson process, arrival for arrival`() {
    let flat = ArrivalProcess(
      gaps: .exponential, pace: .diurnal(.init(rate: 3, amplitude: 0, periodSeconds: 60, peakSeconds: 0)))
    for (left, right) in zip(arrivals(flat, 1000), arrivals(.poisson(rate: 3), 1000)) {
      #expect(abs(left - right) < 1e-6)
    }
  }

  @Test func `spikes multiply the rate while they last`() {
    let process = ArrivalProcess(
      gaps: .equal, pace: .spikes(.init(rate: 1, factor: 10, seconds: 2, times: .every(seconds: 10, first: 4))))
    // One a second until 4 s, ten a second until 6 s, one a second until 14 s.
    let found = arrivals(process, 35)
    #expect(found.prefix(5).map { ($0 * 10).rounded() / 10 } == [1, 2, 3, 4, 4.1])
    #expect(found.count { $0 > 4 && $0 <= 6.0000001 } == 20)
    #expect(found.count { $0 > 6.0000001 && $0 < 14 } == 7)
    let once = ArrivalProcess(
      gaps: .equal, pace: .spikes(.init(rate: 1, factor: 0, seconds: 5, times: .at([2.5]))))
    #expect(arrivals(once, 4).map { ($0 * 10).rounded() / 10 } == [1, 2, 8, 9])
  }

  @Test func `stages have their rates and end`() {
    let list = [
      ArrivalProcess.Stages.Stage(rate: 50, seconds: 100), .init(rate: 0, seconds: 50), .init(rate: 10, seconds: 100),
    ]
    let random = arrivals(.init(gaps: .exponential, pace: .stages(.init(list: list, counts: .random))), 100_000)
    #expect(abs(Double(random.count) - 6000) < 4 * 6000.0.squareRoot())
    #expect(random.count { $0 > 100 && $0 < 150 } == 0)
    let exact = arrivals(.init(gaps: .exponential, pace: .stages(.init(list: list, counts: .exact))), 100_000)
    #expect(exact.count == 6000 && exact.count { $0 <= 100 } == 5000 && exact.count { $0 >= 150 } == 1000)
    #expect(exact == exact.sorted())
    // Uniform times: mean 50, deviation 100 / sqrt(12).
    let (mean, deviation) = moments(exact.filter { $0 <= 100 })
    #expect(abs(mean - 50) < 1.7 && abs(deviation - 28.87) < 1)
  }

  @Test func `scaling keeps gaps, phases and stages and multiplies rates`() {
    let stages = ArrivalProcess(
      gaps: .exponential,
      pace: .stages(.init(list: [.init(rate: 1, seconds: 3), .init(rate: 5, seconds: 1)], counts: .random)))
    #expect(stages.meanRate == 2)
    #expect(
      stages.scaled(toRate: 4)
        == ArrivalProcess(
          gaps: .exponential,
          pace: .stages(.init(list: [.init(rate: 2, seconds: 3), .init(rate: 10, seconds: 1)], counts: .random))))
    #expect(ArrivalProcess.gamma(rate: 3, shape: 0.5).scaled(toRate: 9) == .gamma(rate: 9, shape: 0.5))
  }

  @Test func `users of a closed loop begin evenly over the ramp`() {
    let loop = ArrivalProcess(
      gaps: .equal, pace: .closed(.init(users: 4, rampSeconds: 8, thinkTime: .fixed(seconds: 1))))
    #expect(arrivals(loop, 10) == [0, 2, 4, 6])
    #expect(loop.meanRate == nil)
  }
}
