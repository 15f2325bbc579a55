import CostModels
import Execution
import Quantities

/// A deployment that the serving engine found to meet the objectives, with what it costs and stands.
package struct SizedDeployment: Sendable {
  package var candidate: SizeCandidate
  package var trial: SizeTrial
  /// Replicas of both kinds that the interval of predictions leaves possible: were everything faster, or slower, by its factor.
  package var replicaRange: ClosedRange<Int>
  package var level: Double?
  package var hourly: Double?
  package var devices: Int
  package var nodes: Int
  package var headroom: Double
  package var doubleLoad: SizeTrial?
  package var nodeLoss: NodeLoss
  package var deployment: Deployment

  /// US dollars for a million answer tokens.
  package var perMillionOutput: Double? { hourly.map { $0 / tokensPerHour(trial.outputTokens) * 1e6 } }
  /// The same for all tokens, prompts included.
  package var perMillionTokens: Double? {
    hourly.map { $0 / tokensPerHour(trial.outputTokens + trial.inputTokens) * 1e6 }
  }
  package var energyPerOutputToken: Joules { trial.energy / Double(max(1, trial.outputTokens)) }

  /// What the interval of predictions makes of a price: in proportion to replicas.
  package func interval(of price: Double) -> ClosedRange<Double> {
    let each = price / Double(max(1, trial.replicas + trial.prefillReplicas))
    return each * Double(replicaRange.lowerBound)...each * Double(replicaRange.upperBound)
  }

  private func tokensPerHour(_ tokens: Int) -> Double {
    Double(max(1, tokens)) / max(1e-9, trial.duration.value) * 3600
  }
}

/// One node is down, with all replicas that it holds.
package struct NodeLoss: Sendable {
  /// Replicas that are lost: of those that answer, and of those that only take prompts.
  package var replicas: Int
  package var prefillReplicas: Int
  /// What is left under the same load; nothing where no request can be served to its end.
  package var left: SizeTrial?

  /// How bad it is: beyond 1 an objective is missed.
  var severity: Double {
    guard let left else { return .infinity }
    return left.isSaturated ? .greatestFiniteMagnitude : left.binding?.load ?? 0
  }
}

/// What sizing found for one model on one hardware.
package struct SizeOutcome: Sendable {
  package var model: String
  package var hardware: String
  package var best: SizedDeployment?
  package var obstacle: SizeObstacle?
}

/// The whole answer.
package struct SizeAnswer: Sendable {
  package var request: SizeRequest
  package var demand: DemandSample
  /// By model, then by price.
  package var outcomes: [SizeOutcome]
  package var candidates: Int
  package var analyticSeconds: Double
  package var engineSeconds: Double
  package var replays: Int
}
