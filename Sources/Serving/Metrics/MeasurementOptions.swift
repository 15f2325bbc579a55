import Quantities
import Workloads

/// What a run is measured by beyond what it always is.
package struct MeasurementOptions: Sendable {
  /// What every request must meet; each latency given here replaces that of its class.
  package var objective = ServiceObjective()
  /// Requests left out of latencies, objectives and fluidity, because the system was still filling.
  package var warmUp = WarmUpCut.none
  /// Follows every token of every request. Costs a time for each token in the system; nothing when absent.
  package var fluidity: FluidityOptions?

  package init() {}

  /// How often intervals hold the truth.
  package static let confidence = 0.95
}

/// The beginning of a run that is not measured.
package enum WarmUpCut: Sendable, Equatable {
  case none
  /// Requests that arrive sooner than so long after the first.
  case time(Seconds)
  /// The first so many requests.
  case requests(Int)
}

/// When a reader wants tokens.
package struct FluidityOptions: Sendable, Equatable {
  package enum FirstToken: Sendable, Equatable {
    case fixed(Seconds)
    /// As long as the prompt takes on an empty replica, and so much more.
    case unloaded(slack: Seconds)
  }

  package var firstToken = FirstToken.fixed(Seconds(0.1))
  /// Between two tokens; positive.
  package var between = Seconds(0.05)

  package init() {}
}
