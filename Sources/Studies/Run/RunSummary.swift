import Quantities
import Serving
import Statistics

/// The metrics of a run, or of a stretch of it.
package struct RunSummary: Sendable {
  /// By ``RunMetric``, in the order of its cases; nothing where there is none.
  private var values: [Double?]

  package subscript(metric: RunMetric) -> Double? { values[Self.place[metric] ?? 0] }

  private static let place = Dictionary(uniqueKeysWithValues: RunMetric.allCases.enumerated().map { ($1, $0) })

  /// - Parameter requests: Those that count; all of the run's when nothing.
  package init(_ run: RunOutcome, requests: Range<Int>) {
    let ttft = Ordered(run.series.timesToFirstToken(requests))
    let tpot = Ordered(run.series.timesPerOutputToken(requests))
    let endToEnd = Ordered(run.series.endToEnd(requests))
    let rates = Rates(run.series, requests)
    let tokens = Double(max(1, run.result.metrics.outputTokens))
    values = RunMetric.allCases.map { metric in
      switch metric {
      case .ttftMean: ttft.mean
      case .ttftP50: ttft.quantile(0.5)
      case .ttftP99: ttft.quantile(0.99)
      case .tpotMean: tpot.mean
      case .tpotP50: tpot.quantile(0.5)
      case .tpotP99: tpot.quantile(0.99)
      case .endToEndMean: endToEnd.mean
      case .endToEndP99: endToEnd.quantile(0.99)
      case .requestRate: rates.requests
      case .tokenRate: rates.tokens
      case .goodShare: run.hasObjectives ? rates.goodShare : nil
      case .goodput: run.hasObjectives ? rates.good : nil
      case .energyPerToken: run.result.energy.value / tokens
      case .pricePerMillionTokens: run.result.cost.map { $0.value / tokens * 1e6 }
      }
    }
  }
}

/// Values in order, for percentiles.
private struct Ordered {
  private let values: [Double]

  init(_ values: [Double]) { self.values = values.sorted() }

  var mean: Double? { values.isEmpty ? nil : values.reduce(0, +) / Double(values.count) }

  /// The smallest value that a share of all does not exceed.
  func quantile(_ share: Double) -> Double? {
    values.isEmpty ? nil : values[min(values.count - 1, Int((share * Double(values.count)).rounded(.up)) - 1)]
  }
}

/// How much was served while the requests of a stretch arrived.
///
/// What is served after the last arrival is left out, so that the emptying of the system does not count as its speed.
private struct Rates {
  var requests: Double?
  var tokens: Double?
  var good: Double?
  var goodShare: Double?

  init(_ series: RequestSeries, _ range: Range<Int>) {
    guard let first = range.first, let last = range.last else { return }
    let goodCount = Double(range.count { series.good[$0] })
    goodShare = goodCount / Double(range.count)
    let time = Double(series.arrivals[last] - series.arrivals[first]) / 1e9
    guard time > 0 else { return }
    // Requests from before the stretch that end within it make up for its own that end later.
    let served = series.ends.indices.filter {
      series.completed[$0] && series.ends[$0] > series.arrivals[first] && series.ends[$0] <= series.arrivals[last]
    }
    requests = Double(served.count) / time
    tokens = Double(served.reduce(0) { $0 + Int(series.outputTokens[$1]) }) / time
    good = goodCount / time
  }
}
