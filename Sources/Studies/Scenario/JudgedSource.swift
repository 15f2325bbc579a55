import EventKernel
import Quantities
import Workloads

/// Traffic with a last moment, and with the objectives that a scenario gives its classes.
struct JudgedSource: RequestSource {
  private var base: any RequestSource
  private let until: Int64?
  private var last: Int64?
  let classes: [RequestClass]

  init(_ base: any RequestSource, until: Seconds?, objective: (RequestClass) -> ServiceObjective) {
    self.base = base
    self.until = until.map { Int64(min(9e18, $0.value * 1e9)) }
    classes = base.classes.map { item in
      var item = item
      item.objective = objective(item)
      return item
    }
  }

  var count: Int? { until == nil ? base.count : nil }
  var forest: PrefixForest? { base.forest }

  mutating func next() throws -> Request? {
    guard let request = try base.next() else { return nil }
    if last == nil, let until { last = request.arrival.adding(until)?.nanoseconds }
    return isInTime(request) ? request : nil
  }

  mutating func followUp(after request: Request, endedAt: Instant, completed: Bool) -> Request? {
    guard let next = base.followUp(after: request, endedAt: endedAt, completed: completed) else { return nil }
    return isInTime(next) ? next : nil
  }

  private func isInTime(_ request: Request) -> Bool { last.map { request.arrival.nanoseconds <= $0 } ?? true }
}
