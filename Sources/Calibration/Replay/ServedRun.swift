import Workloads

/// How a measured run was served: its requests, and the limits it set for the runtime.
package struct ServedRun: Sendable {
  package var requests: Requests
  /// Nothing leaves a limit to the runtime's own rule.
  package var maxSequences: Int?
  package var maxBatchedTokens: Int?
  package var blocks: Int?
  package var prefixCache = false
  /// Which request of a log a row is of; nothing where it states means over all requests.
  package var position: Int?

  package enum Requests: Sendable {
    /// All of the row's sequences at once.
    case burst
    /// Made up as described, so many in all.
    case traffic(Traffic, count: Int)
    /// As logged.
    case logged([Request])
  }

  package init(_ requests: Requests) { self.requests = requests }
}

extension MeasuredRun.Load {
  /// A load that takes less time to predict and tells nearly as much: a closed loop by its steady state, stages a tenth
  /// as long.
  var quickened: Self {
    guard case .served(var run) = self, case .traffic(var traffic, let count) = run.requests else { return self }
    switch traffic.arrivals?.pace {
    case .closed: return .closedLoop
    case .stages(var stages):
      for index in stages.list.indices { stages.list[index].seconds /= 10 }
      traffic.arrivals?.pace = .stages(stages)
      run.requests = .traffic(traffic, count: count / 10)
      return .served(run)
    default: return self
    }
  }
}

/// Requests known beforehand, in order of arrival.
package struct KnownRequests: RequestSource {
  private let requests: [Request]
  private var place = 0

  package init(_ requests: [Request]) { self.requests = requests }

  package var count: Int? { requests.count }

  package mutating func next() -> Request? {
    guard place < requests.count else { return nil }
    defer { place += 1 }
    return requests[place]
  }
}
