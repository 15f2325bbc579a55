import Quantities

/// A measured quantity that predictions are compared with.
package enum Metric: String, CaseIterable, Sendable {
  case endToEnd = "e2e"
  /// Time to the first token; of a static batch, the time of its prefill.
  case firstToken = "ttft"
  /// Time of one more token of every sequence.
  case perToken = "tpot"
  /// Mean power of one board.
  case power

  /// The name for people.
  package var title: String {
    switch self {
    case .endToEnd: "end-to-end latency"
    case .firstToken: "time to first token"
    case .perToken: "time per output token"
    case .power: "mean board power"
    }
  }
}

/// One value for each metric that a row has: seconds, or watts.
package struct MetricValues: Sendable, Equatable {
  private var values = SIMD4<Double>(repeating: .nan)

  package init() {}

  package init(endToEnd: Double? = nil, firstToken: Double? = nil, perToken: Double? = nil, power: Double? = nil) {
    self[.endToEnd] = endToEnd
    self[.firstToken] = firstToken
    self[.perToken] = perToken
    self[.power] = power
  }

  package subscript(metric: Metric) -> Double? {
    get {
      let value = values[metric.lane]
      return value.isNaN ? nil : value
    }
    set { values[metric.lane] = newValue ?? .nan }
  }

  /// Metrics that have a value.
  package var present: [Metric] { Metric.allCases.filter { self[$0] != nil } }
}

extension Metric {
  fileprivate var lane: Int {
    switch self {
    case .endToEnd: 0
    case .firstToken: 1
    case .perToken: 2
    case .power: 3
    }
  }
}
