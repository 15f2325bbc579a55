import Execution
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
  /// Prices its steps; replicas of one deployment share it.
  package let costs: StepTable
  let draftCosts: StepTable?

  /// - Parameter powerCap: Board power of all its devices together that steps are stretched to stay under.
  /// - Throws: ``ReplayError`` or ``ServingError`` when the deployment cannot be replayed.
  package init(
    _ deployment: Deployment, limits: ServingLimits, options: ReplicaOptions = ReplicaOptions(),
    batching: Batching? = nil, powerCap: Watts? = nil
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
    self.powerCap = powerCap
    price = deployment.hourlyPrice
    costs = try StepTable(deployment, powerCap: powerCap)
    draftCosts = try options.speculation?.draft.map { try StepTable($0, powerCap: powerCap) }
    if let powerCap, powerCap <= costs.standingPower {
      throw ServingError.powerCap(powerCap, standing: costs.standingPower, platform: deployment.platform.name)
    }
  }

  var idlePower: Watts { deployment.platform.device.power.idle * Double(deployment.parallelism.devices) }

  /// Bytes that the cache of so many tokens takes on all devices of the replica.
  func cacheBytes(tokens: Int) -> Int64 {
    let footprint = deployment.graph.footprint
    let bytes = footprint.sequence(tokens: tokens) * Double(deployment.parallelism.tensor)
    return Int64(min(1e18, bytes.value.rounded(.up)))
  }
}
