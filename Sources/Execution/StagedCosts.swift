import CostModels
import ModelGraph
import Quantities

/// Prices a micro-batch at each stage of a pipeline, and its way from one to the next.
///
/// A stage's time is that of its layers by the same operators and pricers as everywhere else; the token table is at the
/// first stage and the head at the last. The host's work for a step is done once, before the first stage: the workers of
/// later stages prepare their inputs while they wait for them, so only launches that take longer than the kernels count
/// there. Together the stages and hops take what ``Deployment/price(_:)`` says, up to launches.
package final class StagedCosts {
  package let deployment: Deployment
  /// One table for stages with the same operators.
  private let tables: [StepTable]
  private let tableOfStage: [Int]
  /// By tokens of a micro-batch.
  private var hops: [StepTable.Cost?] = []
  private let standing: Watts
  private var costs: [StepTable.Cost]

  /// - Parameters:
  ///   - powerCap: Board power of all devices together, of which each stage has its share.
  ///   - sustained: The same of what their cases get rid of.
  /// - Returns: Nothing for deployments without pipeline stages.
  package init?(_ deployment: Deployment, powerCap: Watts? = nil, sustained: Watts? = nil) {
    let stages = deployment.parallelism.pipeline
    guard stages > 1, deployment.placement == nil else { return nil }
    self.deployment = deployment
    let share = 1 / Double(stages)
    var tables: [StepTable] = []
    tableOfStage = (0..<stages).map { stage in
      let graph = deployment.graph.stage(stage)
      if let known = tables.firstIndex(where: { $0.deployment.graph.hasSameOperators(as: graph) }) { return known }
      tables.append(
        StepTable(
          stage: stage, of: deployment, powerCap: powerCap.map { $0 * share }, sustained: sustained.map { $0 * share }))
      return tables.count - 1
    }
    self.tables = tables
    standing = tables[0].standingPower
    costs = Array(repeating: StepTable.Cost(picoseconds: 0, nanojoules: 0), count: tables.count)
  }

  package var stages: Int { tableOfStage.count }

  /// What a micro-batch costs at each stage.
  package func price(_ step: StepShape, into list: inout [StepTable.Cost]) {
    for index in tables.indices { costs[index] = tables[index].cost(step) }
    list.removeAll(keepingCapacity: true)
    for table in tableOfStage { list.append(costs[table]) }
  }

  /// What the way from one stage to the next takes, and draws beyond waiting.
  package func hop(_ step: StepShape) -> StepTable.Cost {
    let tokens = step.tokens
    if tokens < hops.count, let known = hops[tokens] { return known }
    let cost = priceHop(step)
    if tokens >= hops.count { hops.append(contentsOf: repeatElement(nil, count: tokens - hops.count + 64)) }
    hops[tokens] = cost
    return cost
  }

  private func priceHop(_ step: StepShape) -> StepTable.Cost {
    guard let hop = deployment.graph.stageHop(step) else { return StepTable.Cost(picoseconds: 0, nanojoules: 0) }
    let price = deployment.pricer.price(hop)
    let energy = price.energy * Double(deployment.parallelism.tensor) - standing * price.time
    return StepTable.Cost(time: price.time, energy: max(.zero, energy))
  }

  /// What the devices of so many stages draw together while they wait for a time in all.
  package func waiting(picoseconds: Int128) -> Int64 {
    Int64(min(4e18, standing.value * Double(picoseconds) / 1000))
  }

  /// What a stage that does something beside its steps takes and draws.
  package func copying(_ time: Seconds) -> StepTable.Cost { tables[0].copying(time) }
}
