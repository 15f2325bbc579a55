import CostModels
import Execution
import Quantities

/// The replicas that serve, and the policies they serve by.
package struct ClusterPlan {
  package var replicas: [ReplicaPlan]
  package var scheduler: any Scheduler = FirstComeFirstServed()
  package var router: any Router = RoundRobin()
  package var admission: any Admission = AdmitAll()
  /// How old the signals are that routers and admission see.
  package var signalAge = Seconds.zero
  /// Of everything that is drawn by lot while serving.
  package var seed: UInt64 = 1

  package init(replicas: [ReplicaPlan]) { self.replicas = replicas }

  /// So many equal replicas.
  package init(_ replica: ReplicaPlan, count: Int = 1) {
    self.init(replicas: Array(repeating: replica, count: count))
  }
}

/// One replica: what it runs on, and within which limits.
package struct ReplicaPlan {
  package var deployment: Deployment
  package var limits: ServingLimits
  package var options: ReplicaOptions
  package var batching: Batching?
  /// Prices its steps; replicas of one deployment share it.
  package let costs: StepTable
  let draftCosts: StepTable?

  /// - Parameters:
  ///   - powerCap: Board power of all its devices together that steps are stretched to stay under.
  ///   - costs: Prices of the deployment's steps, where a table has them already.
  /// - Throws: ``ReplayError`` or ``ServingError`` when the deployment cannot be replayed.
  package init(
    _ deployment: Deployment, limits: ServingLimits, options: ReplicaOptions = ReplicaOptions(),
    batching: Batching? = nil, powerCap: Watts? = nil, costs known: StepTable? = nil
  ) throws {
    guard limits.blocks > 0 else {
      throw ServingError.noCache(
        model: deployment.model.name, platform: deployment.platform.name,
        missing: deployment.memoryLedger().missing)
    }
    guard limits.maxSequences <= limits.maxBatchedTokens else {
      throw ServingError.budget(sequences: limits.maxSequences, tokens: limits.maxBatchedTokens)
    }
    self.deployment = deployment
    self.limits = limits
    self.options = options
    self.batching = batching
    costs = try known ?? StepTable(deployment, powerCap: powerCap)
    draftCosts = try options.speculation?.draft.map { try StepTable($0, powerCap: powerCap) }
  }

  /// Time that answers spend on their way to the client and requests from it.
  var requestTime: RequestTime { RequestTime(deployment.pricer.constants) }

  var idlePower: Watts { deployment.platform.device.power.idle * Double(deployment.parallelism.devices) }
}

/// Time between client and engine, both ways together, in whole nanoseconds.
struct RequestTime {
  private let each: Int64
  private let picosecondsPerToken: Int64

  init(_ constants: Constants) {
    each = Int64((constants[.requestOverhead] * 1e9).rounded())
    picosecondsPerToken = Int64((constants[.requestPerToken] * 1e12).rounded())
  }

  /// Nanoseconds of one request.
  func nanoseconds(inputTokens: Int) -> Int64 { each + picosecondsPerToken * Int64(inputTokens) / 1000 }
}
