import Quantities
import Serving
import Workloads

/// Says which completed requests are good ones.
package enum RequestJudge: Sendable, Equatable {
  /// Those that meet the objectives of their class.
  case objectives
  /// Those whose readers miss at most a share of their deadlines, token by token.
  case fluidity(FluidityOptions, mostMisses: Double)

  /// What a run must follow for it.
  var fluidity: FluidityOptions? { if case .fluidity(let options, _) = self { options } else { nil } }

  func isGood(_ record: RequestRecord, _ objective: ServiceObjective) -> Bool {
    switch self {
    case .objectives: objective.isMet(by: record)
    case .fluidity(_, let mostMisses): record.fluidity.map { $0.missRate <= mostMisses } ?? false
    }
  }
}

extension ServiceObjective {
  fileprivate func isMet(by record: RequestRecord) -> Bool {
    func within(_ nanoseconds: Int64?, _ limit: Seconds?) -> Bool {
      guard let nanoseconds, let limit else { return true }
      return Double(nanoseconds) / 1e9 <= limit.value
    }
    return within(record.timeToFirstToken, timeToFirstToken)
      && within(record.timePerOutputToken, timePerOutputToken) && within(record.endToEnd, endToEnd)
  }
}
