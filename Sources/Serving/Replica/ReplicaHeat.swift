import Execution
import Hardware
import Quantities

/// The heat in a replica's case, and whether its clocks have fallen.
///
/// Heat is settled between steps: what was drawn since the last settling, less what the case got rid of. Clocks fall
/// when the budget is spent and rise again when a tenth of it has been got rid of.
struct ReplicaHeat {
  private static let recovered = 0.9

  private let budget: Double
  private let sustained: Double
  private let idle: Double
  private let full: StepTable
  private let slow: StepTable
  private let fullStages: StagedCosts?
  private let slowStages: StagedCosts?
  private var heat = 0.0
  private(set) var isHot = false

  /// - Returns: Nothing for devices whose cooling holds their board limit.
  init?(_ plan: ReplicaPlan) {
    guard let limit = plan.deployment.thermal, let slow = plan.hotCosts else { return nil }
    let devices = Double(plan.deployment.parallelism.devices)
    budget = limit.budget.value * devices
    sustained = limit.sustained.value * devices
    idle = plan.idlePower.value
    full = plan.costs
    self.slow = slow
    fullStages = plan.stages
    slowStages = plan.hotStages
  }

  var costs: StepTable { isHot ? slow : full }
  var stages: StagedCosts? { isHot ? slowStages : fullStages }

  /// Adds the energy of what was done, and of waiting, and takes off what the case got rid of.
  mutating func settle(joules: Double, busy: Double, waiting: Double) {
    heat += joules + idle * waiting - sustained * (busy + waiting)
    heat = min(budget, max(0, heat))
    if isHot { isHot = heat > Self.recovered * budget } else { isHot = heat >= budget }
  }

  /// How long steps like this one may follow one another before clocks fall, or rise.
  func picoseconds(untilChangeAt step: StepTable.Cost) -> Int64 {
    guard step.picoseconds > 0 else { return .max }
    let power = Double(step.nanojoules) * 1e-9 / (Double(step.picoseconds) * 1e-12)
    let room = isHot ? heat - Self.recovered * budget : budget - heat
    let rate = isHot ? sustained - power : power - sustained
    guard rate > 0 else { return .max }
    return Int64(min(1e18, max(1, room / rate * 1e12)))
  }
}

extension Replica {
  /// Settles the heat of the step that ended and of the time since, and takes the prices that go with it.
  mutating func settleHeat(now: Int64) {
    if let pipeline { return settleHeat(pipeline, now: now) }
    let busy = Double(batch.clock.end - batch.clock.start) * 1e-9
    heat?.settle(
      joules: Double(batch.clock.nanojoules) * 1e-9, busy: busy, waiting: Double(max(0, now - batch.clock.end)) * 1e-9)
    if let heat { costs = heat.costs }
  }

  /// The same for what micro-batches drew that have passed all stages.
  private mutating func settleHeat(_ pipeline: Pipeline, now: Int64) {
    let drawn = pipeline.unsettled
    let busy = Double(drawn.picoseconds) * 1e-12
    heat?.settle(
      joules: Double(drawn.nanojoules) * 1e-9, busy: busy, waiting: max(0, Double(now - drawn.since) * 1e-9 - busy))
    pipeline.settle(now: now)
    guard let heat else { return }
    costs = heat.costs
    if let stages = heat.stages { pipeline.costs = stages }
  }
}
