import CostModels
import Hardware
import ModelGraph
import Quantities

extension Placement {
  /// When each operator and copy of a step runs.
  /// - Complexity: O(tasks x tasks at work at once).
  package func schedule(_ step: StepShape) -> Schedule { StepScheduler.runChecked(tasks(of: step)) }

  /// The tasks behind a step.
  package func tasks(of step: StepShape) -> TaskGraph {
    var builder = StepBuilder(self, graph, runtime, step)
    return builder.build(step)
  }

  /// The step's price: its schedule in few numbers.
  package func price(_ step: StepShape) -> StepPrice {
    let schedule = schedule(step)
    let operators = graph.operators(for: step)
    let host = schedule.graph.tasks.last.map { $0.category == .host ? $0.duration : .zero } ?? .zero
    return StepPrice(
      time: schedule.time, bottleneck: schedule.time, deviceTime: schedule.time - host, energy: schedule.energy,
      timeByBound: schedule.timeByBound, flops: operators.sum { $0.flops * Double($0.count) },
      traffic: operators.sum { $0.traffic.total * Double($0.count) })
  }

  /// The main devices' memory, with the room that the plan leaves for cache wherever it lies.
  /// - Parameters:
  ///   - small: Weights of small models on the same devices.
  ///   - footprint: Of all models there.
  func ledger(capacity: Bytes, usable: Bytes, beside small: Bytes, footprint: Footprint) -> MemoryLedger {
    let row = memory.rows.first { $0.place == machine.places[main].name }
    let units = Double(graph.plan.parallelism.ranks)
    return MemoryLedger(
      capacity: capacity, usable: (row?.usable ?? usable) * (1 / units),
      weights: memory.weightsOnMain * (1 / units) + small,
      activations: (row?.activations ?? .zero) * (1 / units), reserved: (row?.buffers ?? .zero) * (1 / units),
      cacheRoom: plan.kv.home == nil ? memory.cacheRoom - small : memory.cacheRoom, footprint: footprint,
      blockSize: runtime.blockSize)
  }

  /// Bytes on one main device while a step runs, KV buffers at their size for its context included.
  package func mainMemory(during step: StepShape) -> Bytes {
    let row = memory.rows.first { $0.place == machine.places[main].name }
    let cache = graph.operators(for: step).filter(\.isCachedAttention).sum {
      $0.traffic.kvRead * Double($0.count)
    }
    let held = row.map { $0.weights + $0.experts + $0.buffers } ?? .zero
    let units = Double(graph.plan.parallelism.ranks)
    let activations = graph.liveActivations(tokens: step.tokens, sampled: step.sampledTokens)
    return held * (1 / units) + cache * (row?.cacheShare ?? 0) + activations
  }
}

extension OperatorPricer {
  /// The pricer of a device whose arithmetic runs at a share of its clock: rates fall with the clock, and energy of an
  /// operation with its square, since voltage falls with the clock. Memory keeps its own clock.
  func clocked(_ clock: Double) -> OperatorPricer {
    var constants = constants
    // Energy of an operation is this share of the cap over the rate, which falls with the clock itself.
    constants[.powerCompute] *= clock * clock * clock
    return OperatorPricer(
      platform: platform.with(platform.device.withCompute(times: clock)), constants: constants)
  }
}
