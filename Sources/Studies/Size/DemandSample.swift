import Documents
import EventKernel
import Quantities
import Workloads

/// What requests ask for, from a sample of the traffic.
package struct DemandSample: Sendable {
  /// Mean arrivals a second.
  package let rate: Double
  package let meanInput: Double
  package let meanOutput: Double
  /// Tokens that a decoding sequence attends to, mean over the tokens it generates.
  package let meanContext: Double
  /// Longest prompt and answer of all but the share that objectives may miss.
  package let highInput: Int
  package let highOutput: Int
  /// Longest request, and mean tokens held at the end of one.
  package let longest: Int
  package let meanStored: Double
  /// Squares of coefficients of variation, of prompts and of gaps between arrivals.
  package let inputVariation: Double
  package let gapVariation: Double

  private static let most = 4000

  /// - Parameter share: Of requests that objectives are for.
  /// - Throws: What the source throws; `DataError` for traffic without requests.
  package init(_ scenario: Scenario, _ builder: ScenarioBuilder, share: Double) throws {
    var source = try builder.source(scenario)
    var requests: [Request] = []
    while requests.count < Self.most, let request = try source.next() { requests.append(request) }
    guard requests.count > 1 else { throw DataError(file: scenario.trafficName, problem: "holds too few requests") }
    let inputs = requests.map { Double($0.inputTokens) }
    let outputs = requests.map { Double($0.outputTokens) }
    let generated = outputs.reduce(0, +)
    meanInput = inputs.average
    meanOutput = outputs.average
    meanContext = zip(inputs, outputs).reduce(0) { $0 + $1.1 * ($1.0 + $1.1 / 2) } / max(1, generated)
    highInput = Int(inputs.quantile(share))
    highOutput = Int(outputs.quantile(share))
    longest = Int(zip(inputs, outputs).map(+).max() ?? 1)
    meanStored = zip(inputs, outputs).map { $0 + $1 / 2 }.average
    inputVariation = inputs.variation
    let times = requests.map { Double($0.arrival.nanoseconds) / 1e9 }
    let span = (times.last ?? 0) - (times.first ?? 0)
    gapVariation = max(0.1, zip(times.dropFirst(), times).map(-).variation)
    guard let mean = try builder.meanRate(scenario) ?? (span > 0 ? Double(times.count - 1) / span : nil) else {
      throw DataError(file: scenario.trafficName, problem: "has no request rate; give one")
    }
    rate = mean
  }
}

extension [Double] {
  fileprivate var average: Double { reduce(0, +) / Double(count) }

  /// Variance over the square of the mean.
  fileprivate var variation: Double {
    let mean = average
    guard mean > 0 else { return 0 }
    return map { ($0 - mean) * ($0 - mean) }.average / (mean * mean)
  }

  func quantile(_ share: Double) -> Double {
    let sorted = sorted()
    return sorted[Swift.min(count - 1, Swift.max(0, Int((share * Double(count)).rounded(.up)) - 1))]
  }
}
