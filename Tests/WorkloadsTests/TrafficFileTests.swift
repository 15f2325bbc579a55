import Documents
import EventKernel
import Foundation
import Testing

@testable import Workloads

@Suite struct TrafficFileTests {
  private static func text(
    arrivals: String = "{process: poisson, rate_per_s: 4, source: s}",
    input: String = "{distribution: fixed, tokens: 5, source: s}",
    output: String = "{distribution: fixed, tokens: 6, source: s}", more: String = ""
  ) -> String {
    """
    name: test
    title: Test
    sources: {s: "chosen for this test"}
    requests: 10
    arrivals: \(arrivals)
    input_tokens: \(input)
    output_tokens: \(output)
    \(more)
    """
  }

  private static func parse(_ text: String) throws -> Traffic { try TrafficFile.parse(text, file: "test.yaml") }

  @Test func `every process and distribution is read`() throws {
    let gamma = try Self.parse(Self.text(arrivals: "{process: gamma, rate_per_s: 2, cv: 2, source: s}"))
    #expect(gamma.arrivals == .gamma(rate: 2, shape: 0.25))
    let steady = try Self.parse(
      Self.text(
        arrivals: "{process: constant, rate_per_s: 2, source: s}",
        input: "{distribution: uniform, min: 2, max: 9, source: s}",
        output: "{distribution: lognormal, median: 50, sigma: 0.5, min: 1, max: 99, source: s}",
        more: "dependence: {rank_correlation: -0.5, source: s}"))
    #expect(steady.arrivals == .constant(rate: 2))
    #expect(steady.inputTokens == .uniform(2...9))
    #expect(steady.outputTokens == .lognormal(.init(median: 50, sigma: 0.5, range: 1...99)))
    #expect(steady.rankCorrelation == -0.5)
    #expect(steady.citations["arrivals.rate_per_s"] == "chosen for this test")
    let bursts = try Self.parse(
      Self.text(
        arrivals: "{process: on-off, rate_on_per_s: 9, rate_off_per_s: 0, on_s: 1, off_s: 2, source: s}",
        input: "{distribution: quantiles, points: [[0, 3], [0.5, 9], [1, 20]], source: s}"))
    #expect(bursts.arrivals.meanRate == 3)
    #expect(bursts.arrivals.scaled(toRate: 6).meanRate == 6)
    guard case .quantiles(let table) = bursts.inputTokens else {
      Issue.record("expected a quantile table")
      return
    }
    #expect(table.points.map(\.tokens) == [3, 9, 20])
  }

  private static let faults: [(text: String, message: String)] = [
    (
      text(arrivals: "{process: poisson, rate: 4, source: s}"),
      "test.yaml:5: arrivals: 'rate_per_s' is missing"
    ),
    (
      text(arrivals: "{process: poisson, rate_per_s: 4, shape: 2, source: s}"),
      "test.yaml:5: arrivals.shape: unknown key"
    ),
    (text(arrivals: "{process: poisson, rate_per_s: 4}"), "test.yaml:5: arrivals: 'source' is missing"),
    (
      text(arrivals: "{process: poison, rate_per_s: 4, source: s}"),
      "test.yaml:5: arrivals.process: found 'poison', expected one of poisson, gamma, constant, on-off; "
        + "did you mean 'poisson'?"
    ),
    (
      text(arrivals: "{process: gamma, rate_per_s: 4, source: s}"),
      "test.yaml:5: arrivals: 'shape' or 'cv' is missing"
    ),
    (
      text(arrivals: "{process: gamma, rate_per_s: 4, cv: 1, shape: 1, source: s}"),
      "test.yaml:5: arrivals: has both 'shape' and 'cv', expected one of them"
    ),
    (
      text(arrivals: "{process: on-off, rate_on_per_s: 0, rate_off_per_s: 0, on_s: 1, off_s: 2, source: s}"),
      "test.yaml:5: arrivals: brings 0.0 requests in a cycle of on and off, expected at least 0.001"
    ),
    (
      text(arrivals: "{process: poisson, rate_per_s: 0, source: s}"),
      "test.yaml:5: arrivals.rate_per_s: found 0.0, expected a number from 1e-06 to 1000000.0"
    ),
    (
      text(input: "{distribution: uniform, min: 9, max: 2, source: s}"),
      "test.yaml:6: input_tokens.max: found 2, expected a whole number from 9 to 100000000"
    ),
    (
      text(input: "{distribution: quantiles, points: [[0, 3], [0.5, 2], [1, 20]], source: s}"),
      "test.yaml:6: input_tokens.points[1]: 2 tokens follow 3, expected no fewer"
    ),
    (
      text(input: "{distribution: quantiles, points: [[0, 3], [0.5, 4], [0.5, 20], [1, 30]], source: s}"),
      "test.yaml:6: input_tokens.points[2]: share 0.5 follows 0.5, expected a larger one"
    ),
    (
      text(input: "{distribution: quantiles, points: [[0.1, 3], [1, 20]], source: s}"),
      "test.yaml:6: input_tokens.points[0]: the first share is 0.1, expected 0"
    ),
    (
      text(input: "{distribution: quantiles, points: [[0, 3], [0.9, 20]], source: s}"),
      "test.yaml:6: input_tokens.points[1]: the last share is 0.9, expected 1"
    ),
    (
      text(input: "{distribution: quantiles, points: [], source: s}"),
      "test.yaml:6: input_tokens.points: expected 2 to 65536 points, found 0"
    ),
    (
      text(input: "{distribution: quantiles, points: [[0, 3, 4], [1, 20]], source: s}"),
      "test.yaml:6: input_tokens.points[0]: has 3 numbers, expected [share, tokens]"
    ),
    (text(more: "dependance: {}"), "test.yaml:8: dependance: unknown key; did you mean 'dependence'?"),
  ]

  @Test(arguments: faults)
  func `a faulty file is refused with place, finding and expectation`(fault: (text: String, message: String)) {
    #expect(message { try Self.parse(fault.text) } == fault.message)
  }

  @Test func `a file must be named for its name`() throws {
    let found = message { try TrafficFile.read(path: SharedData.traffic("steady"), name: "other") }
    #expect(found.hasSuffix("name: found 'steady', expected 'other', the name of the file"))
  }

  @Test func `every traffic file of the repository is read and generates`() throws {
    let folder = SharedData.repository.appendingPathComponent("Workloads/Traffic").path
    let catalogue = try Catalogue<Traffic>(folder: folder)
    #expect(catalogue.names.contains("azure-conversation"))
    for traffic in try catalogue.all() {
      let requests = try all(TrafficGenerator(traffic, seed: 1, requests: 1000))
      #expect(requests.count == 1000 && isSorted(requests), "\(traffic.name)")
    }
  }
}
