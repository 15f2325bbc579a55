import Documents
import EventKernel
import Foundation
import Testing

@testable import Workloads

@Suite struct TrafficGeneratorTests {
  private func traffic(
    _ arrivals: ArrivalProcess = .poisson(rate: 5), input: LengthDistribution = .uniform(1...100),
    output: LengthDistribution = .uniform(1...50), rankCorrelation: Double = 0
  ) -> Traffic {
    Traffic(
      name: "test", arrivals: arrivals,
      class: TrafficClass(lengths: .drawn(.init(input: input, output: output, rankCorrelation: rankCorrelation))),
      requests: 100)
  }

  private func generate(_ traffic: Traffic, seed: UInt64 = 1, _ requests: Int? = nil) throws -> [Request] {
    try all(TrafficGenerator(traffic, seed: seed, requests: requests))
  }

  // MARK: Properties

  private static let processes: [ArrivalProcess] = [
    .poisson(rate: 5), .gamma(rate: 5, shape: 0.3), .gamma(rate: 5, shape: 4), .constant(rate: 5),
    .onOff(.init(onRate: 12, offRate: 1.5, onSeconds: 2, offSeconds: 4, phases: .exponential)),
    .onOff(.init(onRate: 15, offRate: 0, onSeconds: 2, offSeconds: 4, phases: .fixed)),
    .weibull(rate: 5, shape: 0.6), .weibull(rate: 5, shape: 3),
    ArrivalProcess(
      gaps: .exponential, pace: .diurnal(.init(rate: 5, amplitude: 1, periodSeconds: 100, peakSeconds: 30))),
    ArrivalProcess(
      gaps: .varying(2), pace: .diurnal(.init(rate: 5, amplitude: 0.4, periodSeconds: 7, peakSeconds: 0))),
    ArrivalProcess(
      gaps: .exponential,
      pace: .spikes(.init(rate: 2.5, factor: 6, seconds: 2, times: .every(seconds: 10, first: 5)))),
    ArrivalProcess(
      gaps: .varying(0), pace: .spikes(.init(rate: 5, factor: 50, seconds: 1, times: .at([100, 300])))),
  ]

  @Test(arguments: processes)
  func `arrivals are in order, as many as asked, at the mean rate, and the same again`(process: ArrivalProcess) throws {
    let requests = try generate(traffic(process), 20_000)
    #expect(requests.count == 20_000)
    #expect(TrafficGenerator(traffic(process), seed: 1).count == 100)
    #expect(isSorted(requests))
    #expect(try generate(traffic(process), 20_000) == requests)
    let rate = 20_000 / (try #require(requests.last?.arrival.seconds))
    #expect(abs(rate / 5 - 1) < 0.07, "\(rate)")
    #expect(process.meanRate == 5)
    #expect(process.scaled(toRate: 7.5).meanRate == 7.5)
  }

  @Test func `another seed gives other requests`() throws {
    #expect(try generate(traffic(), seed: 1) != generate(traffic(), seed: 2))
  }

  @Test func `changing one part leaves the draws of the others`() throws {
    let base = try generate(traffic())
    let bursty = try generate(traffic(.gamma(rate: 1, shape: 0.2)))
    #expect(bursty.map(\.inputTokens) == base.map(\.inputTokens))
    #expect(bursty.map(\.outputTokens) == base.map(\.outputTokens))
    let longer = try generate(traffic(input: .lognormal(.init(median: 100, sigma: 1, range: 1...9999))))
    #expect(longer.map(\.arrival) == base.map(\.arrival))
    #expect(longer.map(\.outputTokens) == base.map(\.outputTokens))
  }

  @Test func `the first requests do not depend on how many follow`() throws {
    #expect(try generate(traffic(), 50) == Array(generate(traffic(), 100).prefix(50)))
  }

  @Test func `constant arrivals do not drift`() throws {
    let requests = try generate(traffic(.constant(rate: 3)), 30_001)
    #expect(requests[0].arrival == .zero)
    #expect(requests[1].arrival.nanoseconds == 333_333_333)
    #expect(requests[30_000].arrival.nanoseconds == 10_000_000_000_000)
  }

  @Test func `fixed phases without requests off leave the pauses empty`() throws {
    let process = ArrivalProcess.OnOff(onRate: 50, offRate: 0, onSeconds: 1, offSeconds: 3, phases: .fixed)
    for request in try generate(traffic(.onOff(process)), 2000) {
      #expect(request.arrival.nanoseconds % 4_000_000_000 <= 1_000_000_000)
    }
  }

  @Test func `gamma gaps have the variation asked for`() throws {
    let arrivals = try generate(traffic(.gamma(rate: 2, shape: 0.25)), 100_000).map(\.arrival.seconds)
    let gaps = zip(arrivals.dropFirst(), arrivals).map { $0 - $1 }
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    let variance = gaps.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(gaps.count)
    #expect(abs(variance.squareRoot() / mean - 2) < 0.06)
  }

  @Test func `arrivals beyond the clock are refused`() {
    let found = message { try generate(traffic(.constant(rate: 1e-6)), 20_000) }
    #expect(found.hasPrefix("test: arrivals: request 9225 arrives beyond 292 years"))
  }

  // MARK: Lengths

  @Test func `a quantile table gives each share its count`() {
    let table = QuantileTable(points: [
      .init(share: 0, tokens: 2), .init(share: 0.25, tokens: 3), .init(share: 0.75, tokens: 3),
      .init(share: 1, tokens: 13),
    ])
    #expect([0.1, 0.25, 0.5, 0.7500001].map(table.tokens(uniform:)) == [3, 3, 3, 4])
    #expect(table.tokens(uniform: 0.875) == 8)
    #expect(table.tokens(uniform: 1.0.nextDown) == 13)
    #expect(QuantileTable(points: [.init(share: 0, tokens: 0), .init(share: 1, tokens: 5)]).tokens(uniform: 0) == 1)
  }

  @Test(arguments: [-0.9, -0.3, 0.0728, 0.6, 1])
  func `lengths have the rank correlation asked for and keep their distributions`(correlation: Double) throws {
    let requests = try generate(
      traffic(
        input: .uniform(1...100_000), output: .lognormal(.init(median: 1000, sigma: 1, range: 1...9_000_000)),
        rankCorrelation: correlation), 20_000)
    let found = spearman(requests.map(\.inputTokens), requests.map(\.outputTokens))
    #expect(abs(found - correlation) < 4 * (1 - correlation * correlation) / 20_000.0.squareRoot() + 2e-3)
    #expect(abs(mean(requests.map(\.inputTokens)) / 50_000 - 1) < 0.02)
    #expect(abs(quantile(requests.map(\.outputTokens), 0.5) / 1000 - 1) < 0.05)
  }

  // MARK: Against the traces

  private struct Pair: CustomTestStringConvertible, Sendable {
    var traffic: String
    var trace: String
    var testDescription: String { traffic }
  }

  private static let pairs = [
    Pair(traffic: "azure-conversation", trace: "azure_llm_2023_conv.csv"),
    Pair(traffic: "azure-conversation-bursty", trace: "azure_llm_2023_conv.csv"),
    Pair(traffic: "azure-code", trace: "azure_llm_2023_code.csv"),
    Pair(traffic: "azure-code-bursty", trace: "azure_llm_2023_code.csv"),
  ]

  @Test(.enabled(if: SharedData.hasTraces, Comment(rawValue: SharedData.absent)), arguments: pairs)
  private func `Azure traffic has the trace's lengths, rate and correlation`(pair: Pair) throws {
    let measured = try all(TraceReader.open(path: SharedData.trace(pair.trace)))
    let file = try TrafficFile.read(path: SharedData.traffic(pair.traffic), name: pair.traffic)
    let generated = try generate(file, 400_000)
    for tokens in [\Request.inputTokens, \Request.outputTokens] {
      let (left, right) = (measured.map { $0[keyPath: tokens] }, generated.map { $0[keyPath: tokens] })
      #expect(abs(mean(right) / mean(left) - 1) < 0.01)
      for share in [0.5, 0.9, 0.99] {
        #expect(abs(quantile(right, share) / quantile(left, share) - 1) < 0.02, "P\(share * 100)")
      }
    }
    let span = try #require(measured.last?.arrival.seconds)
    #expect(abs((file.meanRate ?? 0) / (Double(measured.count - 1) / span) - 1) < 0.01)
    let first = generated.prefix(20_000)
    let correlation = spearman(first.map(\.inputTokens), first.map(\.outputTokens))
    let expected = spearman(measured.map(\.inputTokens), measured.map(\.outputTokens))
    #expect(abs(correlation - expected) < 0.045)
  }

  private func mean(_ values: [Int]) -> Double { Double(values.reduce(0, +)) / Double(values.count) }

  private func quantile(_ values: [Int], _ share: Double) -> Double {
    Double(values.sorted()[Int(share * Double(values.count))])
  }

  private func spearman(_ left: [Int], _ right: [Int]) -> Double {
    let (a, b) = (ranks(left), ranks(right))
    let middle = Double(a.count + 1) / 2
    var (product, squareA, squareB) = (0.0, 0.0, 0.0)
    for (x, y) in zip(a, b) {
      product += (x - middle) * (y - middle)
      squareA += (x - middle) * (x - middle)
      squareB += (y - middle) * (y - middle)
    }
    return product / (squareA * squareB).squareRoot()
  }

  /// Ranks from 1, equal values sharing their mean rank.
  private func ranks(_ values: [Int]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
      var end = start
      while end + 1 < order.count, values[order[end + 1]] == values[order[start]] { end += 1 }
      for place in start...end { ranks[order[place]] = Double(start + end + 2) / 2 }
      start = end + 1
    }
    return ranks
  }
}
