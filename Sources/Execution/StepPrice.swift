import CostModels
import ModelGraph
import Quantities

/// What one step of a deployment costs.
package struct StepPrice: Sendable {
  /// From the batch being ready to its tokens being out, through every pipeline stage.
  package var time: Seconds
  /// Time of the slowest stage: what a full pipeline needs for one step.
  package var bottleneck: Seconds
  /// Device time inside `time`.
  package var deviceTime: Seconds
  /// Energy of the busy devices, all of them.
  package var energy: Joules
  /// Time by what bounds it; sums to `time`.
  package var timeByBound: TimeByBound
  package var flops: FLOPs
  package var traffic: Bytes
}

/// One row of an explained step: an operator with its price.
package struct PricedOperator: Sendable {
  package var work: Operator
  package var price: OperatorPrice

  /// Time of all instances.
  package var totalTime: Seconds { price.time * Double(work.count) }
}

extension Deployment {
  /// The operators of a step, each priced.
  package func pricedOperators(_ step: StepShape) -> [PricedOperator] {
    graph.operators(for: step).map { PricedOperator(work: $0, price: pricer.price($0)) }
  }

  /// Prices one step.
  /// - Complexity: O(distinct layers).
  package func price(_ step: StepShape) -> StepPrice {
    placement?.price(step) ?? price(pricedOperators(step), step)
  }

  /// Adds up priced operators of a step: device time, or launches where the host is slower, and the runtime's own time.
  package func price(_ operators: [PricedOperator], _ step: StepShape) -> StepPrice {
    var device = Seconds.zero
    var head = Seconds.zero
    var busy = Joules.zero
    var launches = 0
    var byBound = TimeByBound()
    var flops = FLOPs.zero
    var traffic = Bytes.zero
    for item in operators {
      let time = item.totalTime
      device += time
      if item.work.scope == .sampled { head += time }
      busy += item.price.energy * Double(item.work.count)
      launches += item.work.allLaunches
      byBound[item.price.bound] += time
      flops += item.work.flops * Double(item.work.count)
      traffic += item.work.traffic.total * Double(item.work.count)
    }
    let host = hostTime(step, launches: launches, device: device)
    byBound[.host] = host
    let stages = parallelism.pipeline
    let depth = Double(model.decoder.layerCount.dividedUp(by: stages)) / Double(model.decoder.layerCount)
    // The host works for the first stage, and the head is in the last.
    let ends = stages > 1 ? max(head, host) : head + host
    let waiting = pricer.constants[.powerStatic] * platform.device.power.cap
    return StepPrice(
      time: device + host, bottleneck: (device - head) * depth + ends, deviceTime: device,
      energy: (busy + waiting * host) * Double(parallelism.tensor * parallelism.data), timeByBound: byBound,
      flops: flops, traffic: traffic)
  }

  /// Host time that devices wait for: launches beyond the device time, scheduling and sampling.
  package func hostTime(_ step: StepShape, launches: Int, device: Seconds) -> Seconds {
    HostTime(self).time(step, launches: launches, device: device)
  }
}

/// What a runtime's host adds to a step, looked up once.
struct HostTime {
  private let capturesGraphs: Bool
  private let launch: Seconds
  private var step: Seconds
  private var sequence: Seconds
  private var prompts: Seconds

  init(_ deployment: Deployment) {
    let constants = deployment.pricer.constants
    capturesGraphs = deployment.runtime.graphCapture
    launch = constants.time(.launch)
    step = constants.time(.stepOverhead)
    sequence = constants.time(.stepPerSequence)
    prompts = constants.time(.stepWithPrompts)
  }

  /// Leaves out what is done once for a step: its scheduling, inputs and sampling.
  mutating func launchesOnly() { (step, sequence, prompts) = (.zero, .zero, .zero) }

  func time(_ shape: StepShape, launches: Int, device: Seconds) -> Seconds {
    let captured = capturesGraphs && shape.prefillTokens == 0
    let launching = captured ? Seconds.zero : launch * Double(launches)
    let exposed = max(Seconds.zero, launching - device)
    return exposed + step + sequence * Double(shape.decodeTokens + shape.prefillSequences)
      + (shape.prefillTokens > 0 ? prompts : Seconds.zero)
  }
}
