import ModelGraph
import Quantities

/// A step of a pipelined replica: its sequences go through the stages in parts, as many at once as there are stages.
///
/// A part has its share of the decodes; prompts stay whole, so that one prompt makes one part longer and the others not.
/// Every sequence gets its token once all parts are through: after the longest part's way through all stages, or after
/// the slowest stage has taken every part, whichever is later.
struct StagedStep {
  /// Parts with prompts, and parts without.
  private let prompted: (step: StepShape, count: Int)
  private let plain: (step: StepShape, count: Int)
  /// Share of the parts' places that decodes fill.
  private let fullness: Double

  init(_ step: StepShape, stages: Int) {
    var part = StepShape()
    let decodes = step.decodeSequences
    part.decodeSequences = decodes.dividedUp(by: max(1, min(stages, decodes)))
    let decoding = part.decodeSequences > 0 ? decodes.dividedUp(by: part.decodeSequences) : 0
    part.decodeContext = step.decodeContext * (Double(part.decodeSequences) / Double(max(1, decodes)))
    part.decodeQueries = step.decodeQueries
    fullness = decoding > 0 ? Double(decodes) / Double(part.decodeSequences * decoding) : 1
    let prompts = min(stages, step.prefillSequences)
    plain = (part, max(0, decoding - prompts))
    part.prefillSequences = step.prefillSequences.dividedUp(by: max(1, prompts))
    part.prefillTokens = step.prefillTokens.dividedUp(by: max(1, prompts))
    part.prefillPairs = step.prefillPairs * (1 / Double(max(1, prompts)))
    part.prefillKeys = step.prefillKeys * (1 / Double(max(1, prompts)))
    part.finishedPrompts = step.finishedPrompts.dividedUp(by: max(1, prompts))
    prompted = (part, prompts)
  }

  /// - Returns: Time until every part is through, and energy of all stages, waiting ones included.
  func price(_ deployment: Deployment) -> (time: Seconds, energy: Joules) {
    var (longest, filled, busy, energy) = (Seconds.zero, Seconds.zero, Seconds.zero, Joules.zero)
    for (step, count) in [prompted, plain] where count > 0 {
      let price = deployment.price(step)
      longest = max(longest, price.time)
      filled += price.bottleneck * Double(count)
      busy += price.time * Double(count)
      energy += price.energy * (Double(count) * (step.prefillTokens > 0 ? 1 : fullness))
    }
    let time = max(longest, filled)
    let parallelism = deployment.parallelism
    let waiting = time * Double(parallelism.devices) - busy * Double(parallelism.tensor * parallelism.data)
    let standing = deployment.pricer.constants[.powerStatic] * deployment.platform.device.power.cap
    return (time, energy + standing * max(.zero, waiting))
  }
}

extension Deployment {
  /// What a step takes a replica that is kept busy, and what it draws: with stages, all parts of it.
  package func steadyPrice(_ step: StepShape) -> (time: Seconds, energy: Joules) {
    guard parallelism.pipeline > 1 else {
      let price = price(step)
      return (price.time, price.energy)
    }
    return StagedStep(step, stages: parallelism.pipeline).price(self)
  }
}
