import Quantities
import Serving
import Workloads

/// What a system must do at a request rate for the rate to be within its capacity.
package struct CapacityGoal: Sendable {
  package enum Demand: Sendable, Equatable {
    /// A good request meets these latencies; nothing for those of its class.
    case objectives(ServiceObjective?)
    /// A good request's reader misses at most a tenth of the token deadlines.
    case fluidity(FluidityOptions)
  }

  package var demand: Demand
  /// Share of all requests that must be good.
  package var goodShare: Double

  package init(_ demand: Demand, goodShare: Double) {
    self.demand = demand
    self.goodShare = goodShare
  }

  private static let mostMisses = 0.1

  /// Ninety-nine in a hundred readers miss at most a tenth of their deadlines: a first token as soon as on an empty replica
  /// and a slack of 100 ms, then one every 50 ms. The capacity of A. Agrawal et al., "Etalon", 2024, with its deadlines.
  package static var standard: CapacityGoal {
    var options = FluidityOptions()
    options.firstToken = .unloaded(slack: Seconds(0.1))
    return CapacityGoal(.fluidity(options), goodShare: standardShare)
  }

  package static let standardShare = 0.99

  var judge: RequestJudge {
    switch demand {
    case .objectives: .objectives
    case .fluidity(let options): .fluidity(options, mostMisses: Self.mostMisses)
    }
  }

  /// What a good request is, for people.
  package var text: String {
    switch demand {
    case .objectives(nil): "the objectives of their class met"
    case .objectives(let objective?):
      [
        objective.timeToFirstToken.map { "TTFT within \($0)" },
        objective.timePerOutputToken.map { "TPOT within \($0)" },
        objective.endToEnd.map { "the answer within \($0)" },
      ].compactMap { $0 }.joined(separator: " and ")
    case .fluidity(let options):
      "at most a tenth of their token deadlines missed: a first token \(first(options)), then one every "
        + "\(options.between)"
    }
  }

  private func first(_ options: FluidityOptions) -> String {
    switch options.firstToken {
    case .fixed(let time): "within \(time)"
    case .unloaded(let slack): "\(slack) later than on an empty replica"
    }
  }
}

extension ScenarioBuilder {
  /// What a scenario asks of its requests: one demand for all, or that of each class; readers' deadlines where it asks
  /// nothing.
  package func goal(of scenario: Scenario) throws -> CapacityGoal {
    let objectives = try source(scenario).classes.map(\.objective)
    guard let first = objectives.first(where: { !$0.isEmpty }) else { return .standard }
    let isCommon = objectives.allSatisfy { $0 == first }
    return CapacityGoal(.objectives(isCommon ? first : nil), goodShare: CapacityGoal.standardShare)
  }
}

/// One rate that was tried.
package struct CapacityTrial: Sendable {
  package var summary: RunSummary
  package var isSaturated: Bool
  package var completedShare: Double
}
