import CostModels
import Execution
import ModelGraph
import Quantities
import TestSupport
import Testing

@testable import Serving
@testable import Workloads

@Suite struct ReplicaHeatTests {
  private func plan(_ hardware: String) throws -> ReplicaPlan {
    let library = try Library(folder: Repository.folder)
    let deployment = try library.deployment(
      Library.Request(model: "llama-3.2-1b", hardware: hardware, runtime: "llama-cpp"))
    return try ReplicaPlan(deployment, limits: ServingLimits(deployment))
  }

  @Test func `heat above what a phone gets rid of adds up, and waiting takes it off`() throws {
    let plan = try plan("snapdragon-8-gen-3")
    var heat = try #require(ReplicaHeat(plan))
    #expect(heat.costs === plan.costs)
    // 6 W for a minute are 210 J above 2.5 W, for two are more than the 370 J of the budget.
    heat.settle(joules: 360, busy: 60, waiting: 0)
    #expect(!heat.isHot)
    heat.settle(joules: 360, busy: 60, waiting: 0)
    #expect(heat.isHot && heat.costs !== plan.costs)
    // Half a watt while it waits: 37 J, a tenth of the budget, are gone after 18.5 s.
    heat.settle(joules: 0, busy: 0, waiting: 18)
    #expect(heat.isHot)
    heat.settle(joules: 0, busy: 0, waiting: 1)
    #expect(!heat.isHot)
  }

  @Test func `devices with fans have no heat to keep account of`() throws {
    #expect(ReplicaHeat(try plan("rtx-4090")) == nil)
  }

  @Test func `a phone that is always busy draws what its case gets rid of, and its budget once`() throws {
    let plan = try plan("snapdragon-8-gen-3")
    let limit = try #require(plan.deployment.thermal)
    let requests = (0..<40).map { _ in Request(at: 0, 64, 400) }
    var engine = try ServingEngine(ClusterPlan(plan))
    var source: any RequestSource = ListSource(requests)
    let result = try engine.run(&source)
    let time = result.duration.value
    let most = limit.sustained.value * time + limit.budget.value
    // A case that is hot comes and goes around its budget by a tenth of it, and spans end when clocks change.
    #expect(result.energy.value < 1.1 * most)
    #expect(result.energy.value > limit.sustained.value * time)
  }
}
