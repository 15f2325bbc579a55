import EventKernel
import Execution
import Testing

@testable import Serving
@testable import Workloads

/// One sequence at a time makes the engine a queue with one server, of which theory knows the waiting time.
@Suite struct TheoryTests {
  private struct Waiting {
    var mean: Double
    var standardError: Double

    /// Mean wait in milliseconds, and its error from the means of 20 batches.
    init(_ run: Run) {
      let waits = run.completed.sorted { $0.id < $1.id }.map { Double($0.queueTime) / 1e6 }
      let size = waits.count / 20
      let means = (0..<20).map { waits[$0 * size..<($0 + 1) * size].reduce(0, +) / Double(size) }
      let mean = means.reduce(0, +) / 20
      let variance = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 19
      self.mean = mean
      standardError = (variance / 20).squareRoot()
    }
  }

  private let oneAtATime = ServingLimits(
    maxBatchedTokens: 1, maxSequences: 1, maxModelLength: 100_000, blockSize: 16, blocks: 100_000)

  /// Poisson arrivals at a load, with prompts of so many tokens; each token is a step of 1 ms.
  private func run(load: Double, meanTokens: Double, count: Int, tokens: (inout RandomStream) -> Int) throws -> Run {
    var arrivals = ArrivalGenerator(.poisson(rate: load * 1000 / meanTokens), seed: 11)
    var lengths = RandomStream(seed: 11, name: "lengths")
    let requests = (0..<count).map { _ in
      Request(arrival: arrivals.next() ?? .zero, inputTokens: tokens(&lengths), outputTokens: 1)
    }
    return try Run(requests, constantStep(milliseconds: 1), oneAtATime)
  }

  @Test(arguments: [0.4, 0.7])
  func `equal prompts wait as in M/D/1`(load: Double) throws {
    let waiting = Waiting(try run(load: load, meanTokens: 1, count: 20_000) { _ in 1 })
    let theory = load / (2 * (1 - load))
    #expect(abs(waiting.mean - theory) < 3.5 * waiting.standardError)
    #expect(waiting.standardError < 0.06 * theory)
  }

  /// Geometric lengths are the exponential ones of a discrete clock; Pollaczek and Khinchine give the wait from their
  /// first two moments, m and m^2 (2 - 1/m).
  @Test(arguments: [0.4, 0.7])
  func `geometric prompts wait as in M/G/1 with a coefficient of variation near one`(load: Double) throws {
    let mean = 10.0
    let result = try run(load: load, meanTokens: mean, count: 10_000) { stream in
      Int(PortableMath.log(stream.openUniform()) / PortableMath.log(1 - 1 / mean)) + 1
    }
    let waiting = Waiting(result)
    let theory = load * mean * (2 - 1 / mean) / (2 * (1 - load))
    #expect(abs(waiting.mean - theory) < 3.5 * waiting.standardError)
    #expect(waiting.standardError < 0.1 * theory)
    #expect(abs(result.result.utilisation - load) < 0.03)
  }

  /// Arrival rate times time in the system is the mean number in it, counted from arrivals and completions.
  @Test func `Little's law holds for waiting and running requests together`() throws {
    let outcome = try run(load: 0.7, meanTokens: 1, count: 20_000) { _ in 1 }
    let events =
      outcome.completed.flatMap { [($0.arrival, 1), ($0.completion, -1)] }.sorted { $0.0 < $1.0 }
    var area = 0.0
    var present = 0
    var last: Int64 = 0
    for (time, change) in events {
      area += Double(present) * Double(time - last)
      last = time
      present += change
    }
    let duration = outcome.result.duration.value
    let inSystem = area / 1e9 / duration
    let meanTime = try #require(outcome.result.metrics.endToEnd.mean).value
    let rate = Double(outcome.completed.count) / duration
    #expect(abs(inSystem - rate * meanTime) < 1e-9 * inSystem)
    // And the number is M/D/1's: load + load^2 / (2 (1 - load)).
    let theory = 0.7 + 0.49 / 0.6
    #expect(abs(inSystem - theory) < 0.1 * theory)
  }
}
