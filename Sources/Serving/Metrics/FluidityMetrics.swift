import Quantities
import Statistics

/// How one answer reads while it is written.
package struct RequestFluidity: Sendable, Equatable {
  /// Deadlines that passed without their token, and all.
  package var missed: Int64
  package var total: Int64
  /// The smallest time between tokens, in nanoseconds, with a tenth of the deadlines missed at most; nothing for an
  /// answer of one token.
  package var fluidGap: Int64?

  package var missRate: Double { total > 0 ? Double(missed) / Double(total) : 0 }
  package var index: Double { 1 - missRate }

  /// - Parameters:
  ///   - times: When each token came out.
  ///   - arrival: When it was asked for; nanoseconds like the others.
  /// - Returns: Nothing without tokens.
  package init?(times: [Int64], arrival: Int64, _ deadlines: FluidityIndex.Deadlines) {
    guard let first = times.first else { return nil }
    var index = FluidityIndex(deadlines)
    index.add(gap: first - arrival)
    let runs = Self.runs(times)
    for run in runs { index.add(gap: run.gap, count: run.count) }
    missed = index.missed
    total = index.total
    fluidGap = FluidTokenRate.deadline(runs)
  }

  /// The gaps after the first token, equal neighbours together.
  private static func runs(_ times: [Int64]) -> [FluidTokenRate.Run] {
    var runs: [FluidTokenRate.Run] = []
    for (time, next) in zip(times, times.dropFirst()) {
      if runs.last?.gap == next - time {
        runs[runs.count - 1].count += 1
      } else {
        runs.append((next - time, 1))
      }
    }
    return runs
  }
}

/// The fluidity of all completed requests, in constant memory.
package struct FluidityMetrics: Sendable {
  package private(set) var count = 0
  private var indexSum = 0.0
  /// Requests by miss rate, rounded up to a ten-thousandth.
  private var missRates = [Int](repeating: 0, count: 10_001)
  private var fluidGaps = LatencyDistribution()
  private var fluid = 0

  /// A request with more missed deadlines does not read fluently.
  private static let largestMissRate = 0.1

  mutating func add(_ request: RequestFluidity) {
    count += 1
    indexSum += request.index
    missRates[Int((request.missRate * 10_000).rounded(.up))] += 1
    if request.missRate <= Self.largestMissRate { fluid += 1 }
    if let gap = request.fluidGap { fluidGaps.add(gap) }
  }

  package var meanIndex: Double? { count > 0 ? indexSum / Double(count) : nil }

  /// The miss rate that so many per cent of requests do not exceed, within a ten-thousandth above.
  package func missRate(percentile percent: Double) -> Double? {
    guard count > 0 else { return nil }
    let rank = max(1, Int((percent / 100 * Double(count)).rounded(.up)))
    var below = 0
    for (index, number) in missRates.enumerated() {
      below += number
      if below >= rank { return Double(index) / 10_000 }
    }
    return 1
  }

  /// Share of requests that missed a tenth of their deadlines at most.
  package var fluidShare: Double? { count > 0 ? Double(fluid) / Double(count) : nil }

  /// Tokens a second at which 99 % of answers read fluently; within 0.1 %.
  package var fluidTokensPerSecond: Double? { fluidGaps.percentile(99).map { 1 / max(1e-9, $0.value) } }
}
