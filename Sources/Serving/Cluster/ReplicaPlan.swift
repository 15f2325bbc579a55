import Execution
import ModelGraph
import Quantities

/// One replica: what it runs on, and within which limits.
package struct ReplicaPlan {
  package let deployment: Deployment
  package var limits: ServingLimits
  package var options: ReplicaOptions
  package var batching: Batching?
  /// Board power of all its devices together that steps are stretched to stay under; nothing for the devices' own.
  package let powerCap: Watts?
  /// Rent while it is up; nothing when unknown. What the device or system file says, unless it is set.
  package var price: DollarsPerHour?
  /// Prices its steps; replicas of one deployment share it. With pipeline stages, a step's way through all of them.
  package let costs: StepTable
  /// Prices micro-batches at each pipeline stage; nothing without stages.
  package let stages: StagedCosts?
  let draftCosts: StepTable?
  /// Prices its steps once its case is hot; nothing on devices that do not throttle.
  let hotCosts: StepTable?
  let hotStages: StagedCosts?

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
    var limits = limits
    limits.stages = deployment.placement == nil ? deployment.parallelism.pipeline : 1
    guard limits.batchSequences <= limits.maxBatchedTokens else {
      throw ServingError.budget(sequences: limits.batchSequences, tokens: limits.maxBatchedTokens)
    }
    self.deployment = deployment
    self.limits = limits
    self.options = options
    self.batching = batching
    self.powerCap = powerCap
    price =
      deployment.placement == nil
      ? deployment.hourlyPrice : deployment.rent(keeping: max(.zero, deployment.memoryLedger().cacheRoom))
    costs = try known ?? StepTable(deployment, powerCap: powerCap)
    let sustained = deployment.thermal.map { $0.sustained * Double(deployment.parallelism.devices) }
    hotCosts = try deployment.throttled.map { try StepTable($0, powerCap: powerCap, sustained: sustained) }
    stages = StagedCosts(deployment, powerCap: powerCap)
    hotStages = deployment.throttled.flatMap { StagedCosts($0, powerCap: powerCap, sustained: sustained) }
    draftCosts = try options.speculation?.draft.map { try StepTable($0, powerCap: powerCap) }
    if let powerCap, powerCap <= costs.standingPower {
      throw ServingError.powerCap(powerCap, standing: costs.standingPower, platform: deployment.platform.name)
    }
  }

  /// Time that answers spend on their way to the client and requests from it.
  var requestTime: RequestTime { RequestTime(deployment.pricer.constants) }

  var idlePower: Watts { deployment.platform.device.power.idle * Double(deployment.parallelism.devices) }

  /// What one copy of a sequence's cache takes, whatever the tensor parallelism: copied heads move once.
  func cacheFootprint() throws -> Footprint {
    try OperatorGraph(
      model: deployment.model, plan: Plan(formats: deployment.plan.formats, parallelism: Parallelism())
    ).footprint
  }

  /// Tokens a second that it generates with a reference batch: 32 sequences of 1024 tokens, or as many as it takes.
  var referenceSpeed: Double {
    let context = max(1, min(1024, limits.maxModelLength))
    let fitting = limits.blocks / max(1, limits.blocks(for: context))
    let sequences = max(1, min(32, min(limits.maxSequences, fitting)))
    let step = StepShape.decode(sequences: sequences, context: context, spans: costs.spans)
    let time = stages == nil ? costs.exactCost(step).time : deployment.steadyPrice(step).time
    return Double(sequences) / max(1e-12, time.value)
  }
}
