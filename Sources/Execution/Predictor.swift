import CostModels
import ModelGraph
import Quantities

/// Predicts static batches on a deployment in closed form.
package struct Predictor: Sendable {
  package let deployment: Deployment
  package let ledger: MemoryLedger

  /// What to do when the batch's cache exceeds memory.
  package enum Overflow: Sendable { case refuse, waves }

  package init(_ deployment: Deployment) {
    self.deployment = deployment
    ledger = deployment.memoryLedger()
  }

  /// Predicts one batch.
  /// - Throws: ``PredictionError`` when it cannot run.
  package func predict(_ batch: BatchCase, overflow: Overflow = .refuse) throws(PredictionError) -> Prediction {
    guard ledger.weightsFit else {
      throw .weightsDoNotFit(
        model: deployment.model.name, platform: deployment.platform.name, missing: ledger.missing, ledger: ledger)
    }
    let replicas = deployment.parallelism.data
    let perReplica = batch.sequences.dividedUp(by: replicas)
    let fitting = ledger.largestBatch(batch)
    guard perReplica <= fitting || (overflow == .waves && fitting > 0) else {
      throw .cacheDoesNotFit(
        batch: batch, missing: ledger.cache(of: batch) * Double(perReplica) - ledger.cacheRoom,
        largestBatch: fitting * replicas, longestContext: ledger.longestContext(sequences: perReplica).map { $0 + 1 })
    }
    var fullest = runReplica(sequences: perReplica, fitting: fitting, batch)
    var throttledAfter: Seconds?
    if let account = heat(of: &fullest, sequences: perReplica, fitting: fitting, batch) {
      throttledAfter = account.spentAfter
    }
    let full = fullest.first
    let endToEnd = fullest.endToEnd
    let energy = energyOfReplicas(fullest, perReplica: perReplica, fitting: fitting, batch)
    let generated = Double(batch.sequences * batch.outputTokens)
    let all = generated + Double(batch.prompts * batch.inputTokens)
    return Prediction(
      ttft: full.prefill.time, tpot: full.decode?.time, endToEnd: endToEnd, energy: energy,
      prefillBound: full.prefill.bound, decodeBound: full.decode?.bound, waves: fullest.waves,
      outputRate: generated / endToEnd.value, totalRate: all / endToEnd.value, ledger: ledger,
      throttledAfter: throttledAfter)
  }

  /// Stretches what a replica does where its case gets hot.
  private func heat(
    of run: inout ReplicaRun, sequences: Int, fitting: Int, _ batch: BatchCase
  ) -> HeatAccount? {
    guard let limit = deployment.thermal, let hot = deployment.throttled else { return nil }
    var account = HeatAccount(limit)
    let slow = Predictor(hot).runReplica(sequences: sequences, fitting: fitting, batch)
    let devices = Double(deployment.parallelism.tensor * deployment.parallelism.pipeline)
    func pass(_ full: (Seconds, Joules), _ slow: (Seconds, Joules)) -> HeatAccount.Work {
      let done = account.run(
        HeatAccount.Work(time: full.0, energy: full.1 * (1 / devices)),
        slow: HeatAccount.Work(time: slow.0, energy: slow.1 * (1 / devices)))
      return HeatAccount.Work(time: done.time, energy: done.energy * devices)
    }
    let (first, firstSlow) = (run.first, slow.first)
    let prefill = pass((first.prefill.time, first.prefill.energy), (firstSlow.prefill.time, firstSlow.prefill.energy))
    let decode = pass(
      (first.endToEnd - first.prefill.time, first.energy - first.prefill.energy),
      (firstSlow.endToEnd - firstSlow.prefill.time, firstSlow.energy - firstSlow.prefill.energy))
    let rest = pass(
      (run.endToEnd - first.endToEnd, run.energy - first.energy),
      (slow.endToEnd - firstSlow.endToEnd, slow.energy - firstSlow.energy))
    guard account.spentAfter != nil else { return account }
    run.first.prefill.time = prefill.time
    let steps = Double(max(1, batch.outputTokens - 1))
    run.first.decode?.time = decode.time * (1 / steps)
    run.endToEnd = prefill.time + decode.time + rest.time
    run.energy = prefill.energy + decode.energy + rest.energy
    return account
  }

  /// What one data-parallel replica does, in one wave or several; energy is as if all replicas did the same.
  private struct ReplicaRun {
    var first: Wave
    var waves: Int
    var endToEnd: Seconds
    var energy: Joules
  }

  private func runReplica(sequences: Int, fitting: Int, _ batch: BatchCase) -> ReplicaRun {
    let size = min(sequences, fitting)
    let waves = sequences.dividedUp(by: size)
    let full = runWave(sequences: size, batch)
    guard waves > 1 else { return ReplicaRun(first: full, waves: 1, endToEnd: full.endToEnd, energy: full.energy) }
    let last = runWave(sequences: sequences - (waves - 1) * size, batch)
    let before = Double(waves - 1)
    return ReplicaRun(
      first: full, waves: waves, endToEnd: full.endToEnd * before + last.endToEnd,
      energy: full.energy * before + last.energy)
  }

  /// Energy of all replicas until the fullest one ends. Sequences are dealt out evenly, so the others have one less,
  /// or none; replicas that share experts work in step and all count as the fullest.
  private func energyOfReplicas(
    _ fullest: ReplicaRun, perReplica: Int, fitting: Int, _ batch: BatchCase
  ) -> Joules {
    let parallelism = deployment.parallelism
    let replicas = parallelism.data
    let fuller = batch.sequences % replicas
    guard fuller > 0, parallelism.expert == 1 else { return fullest.energy }
    let emptier = Double(replicas - fuller)
    let devices = Double(parallelism.tensor * parallelism.pipeline)
    let energy = fullest.energy * (Double(fuller) / Double(replicas))
    guard perReplica > 1 else {
      return energy + deployment.platform.device.power.idle * (devices * emptier) * fullest.endToEnd
    }
    let other = runReplica(sequences: perReplica - 1, fitting: fitting, batch)
    return energy + other.energy * (emptier / Double(replicas))
      + standingPower * (devices * emptier) * max(.zero, fullest.endToEnd - other.endToEnd)
  }

  /// Tokens a sequence holds in cache when it ends; the last one generated is never stored. An encoder's input is
  /// held as cross-attention keys, which take the same room.
  private func longestStored(_ batch: BatchCase) -> Int { batch.inputTokens + batch.outputTokens - 1 }

  // MARK: Representative steps

  /// The first step of the prefill, for explanations.
  package func firstPrefillStep(_ batch: BatchCase) -> StepShape {
    let micro = MicroBatches(sequences: waveSize(batch), stages: deployment.parallelism.pipeline)
    let budget = deployment.runtime.maxBatchedTokens
    if deployment.model.encoder == nil, deployment.runtime.chunkedPrefill, batch.inputTokens > budget {
      return StepShape.prefill(sequences: 1, tokens: budget, last: false, spans: deployment.graph.spans)
    }
    return prefillSteps(sequences: micro.size, input: batch.inputTokens)[0].0
  }

  /// The decode step in the middle of the generation; nothing when one token is generated.
  package func middleDecodeStep(_ batch: BatchCase) -> StepShape? {
    guard batch.outputTokens > 1 else { return nil }
    let micro = MicroBatches(sequences: waveSize(batch), stages: deployment.parallelism.pipeline)
    let start = deployment.model.encoder == nil ? batch.inputTokens : 1
    return decodeStep(micro.size, context: start + batch.outputTokens / 2, batch)
  }

  /// Sequences of one replica that run at once.
  private func waveSize(_ batch: BatchCase) -> Int {
    let perReplica = batch.sequences.dividedUp(by: deployment.parallelism.data)
    return max(1, min(perReplica, ledger.largestBatch(batch)))
  }

  private func decodeStep(_ sequences: Int, context: Int, _ batch: BatchCase) -> StepShape {
    var step = StepShape.decode(sequences: sequences, context: context, spans: deployment.graph.spans)
    if deployment.model.encoder != nil { step.crossKeys = Double(sequences * batch.inputTokens) }
    return step
  }

  // MARK: One wave

  private struct Phase {
    var time: Seconds
    var energy: Joules
    var bound: Bound
  }

  private struct Wave {
    var prefill: Phase
    /// Mean of one decode step.
    var decode: Phase?
    var endToEnd: Seconds
    var energy: Joules
  }

  private func runWave(sequences: Int, _ batch: BatchCase) -> Wave {
    let micro = MicroBatches(sequences: sequences, stages: deployment.parallelism.pipeline)
    let prompts = MicroBatches(
      sequences: sequences.dividedUp(by: batch.answersPerPrompt), stages: deployment.parallelism.pipeline)
    let prefill = prefillPhase(prompts, input: batch.inputTokens)
    let steps = batch.outputTokens - 1
    guard steps > 0 else {
      return Wave(prefill: prefill, decode: nil, endToEnd: prefill.time, energy: prefill.energy)
    }
    let decode = decodePhase(micro, batch)
    return Wave(
      prefill: prefill, decode: decode, endToEnd: prefill.time + decode.time * Double(steps),
      energy: prefill.energy + decode.energy * Double(steps))
  }

  /// A batch in as many parts as the pipeline has stages, so that every stage works.
  private struct MicroBatches {
    let count: Int
    let size: Int
    /// Share of the parts' places that sequences fill.
    let fullness: Double

    init(sequences: Int, stages: Int) {
      size = sequences.dividedUp(by: min(stages, sequences))
      count = sequences.dividedUp(by: size)
      fullness = Double(sequences) / Double(size * count)
    }
  }

  private func prefillPhase(_ micro: MicroBatches, input: Int) -> Phase {
    var phase = Phase(time: .zero, energy: .zero, bound: .compute)
    var byBound = TimeByBound()
    var fill = Seconds.zero
    var busy = Seconds.zero
    // Steps follow one another through the stages; the pipeline fills once.
    for (step, count) in prefillSteps(sequences: micro.size, input: input) {
      let price = deployment.price(step)
      let steps = Double(micro.count) * count
      fill = max(fill, price.time - price.bottleneck)
      phase.time += price.bottleneck * steps
      phase.energy += price.energy * (steps * micro.fullness)
      busy += price.time * steps
      byBound.add(price.timeByBound, times: count)
    }
    phase.time += fill
    phase.energy += idleEnergy(phase.time, busy: busy)
    phase.bound = byBound.largest
    return phase
  }

  /// The steps a runtime prefills a batch in: one, or several within its token budget; each with how often it occurs.
  private func prefillSteps(sequences: Int, input: Int) -> [(StepShape, Double)] {
    let spans = deployment.graph.spans
    guard deployment.model.encoder == nil else { return [(encoderStep(sequences: sequences, input: input), 1)] }
    let budget = deployment.runtime.maxBatchedTokens
    if deployment.runtime.chunkedPrefill, input > budget {
      return chunkSteps(sequences: sequences, input: input, chunk: budget)
    }
    let together = max(1, min(sequences, budget / input))
    let whole = StepShape.prefill(sequences: together, tokens: input, spans: spans)
    let full = sequences / together
    let rest = sequences % together
    var steps = [(whole, Double(full))]
    if rest > 0 { steps.append((StepShape.prefill(sequences: rest, tokens: input, spans: spans), 1)) }
    return steps
  }

  /// Chunks of one long prompt after another. Their cost is a smooth function of the tokens before them, so many
  /// chunks are priced at the points of a Gauss rule; the last one, which also needs logits, by itself.
  private func chunkSteps(sequences: Int, input: Int, chunk: Int) -> [(StepShape, Double)] {
    let spans = deployment.graph.spans
    let earlier = (input - 1) / chunk
    func step(_ start: Int, _ tokens: Int, last: Bool) -> StepShape {
      StepShape.prefill(sequences: 1, tokens: tokens, start: start, last: last, spans: spans)
    }
    // The chunk in which a window fills is unlike those before and after it.
    let kinks = windows.flatMap { [$0 / chunk - 1, $0 / chunk] }
    var steps = GaussRule.points(from: 0, through: earlier - 1, kinks: kinks).map { index, weight in
      (step(index * chunk, chunk, last: false), weight * Double(sequences))
    }
    steps.append((step(earlier * chunk, input - earlier * chunk, last: true), Double(sequences)))
    return steps
  }

  /// The model's attention windows.
  private var windows: [Int] { (1..<4).map { deployment.graph.spans.windows[$0] }.filter { $0 != Int.max } }

  /// Encoder over the input, and the decoder's first token.
  private func encoderStep(sequences: Int, input: Int) -> StepShape {
    var step = StepShape.prefill(sequences: sequences, tokens: 1, spans: deployment.graph.spans)
    step.encoderTokens = sequences * input
    step.encoderSequences = sequences
    step.encoderPairs = Double(sequences) * Double(input) * Double(input)
    step.crossKeys = Double(sequences * input)
    return step
  }

  private func decodePhase(_ micro: MicroBatches, _ batch: BatchCase) -> Phase {
    let encodes = deployment.model.encoder != nil
    let first = (encodes ? 1 : batch.inputTokens) + 1
    let last = first + batch.outputTokens - 2
    var phase = Phase(time: .zero, energy: .zero, bound: .memory)
    var byBound = TimeByBound()
    let steps = Double(batch.outputTokens - 1)
    var busy = Seconds.zero
    for (context, weight) in GaussRule.points(from: first, through: last, kinks: windows) {
      let price = deployment.tokenCost(decodeStep(micro.size, context: context, batch))
      let period = max(price.time, price.bottleneck * Double(micro.count))
      phase.time += period * (weight / steps)
      phase.energy += price.energy * (Double(micro.count) * micro.fullness * weight / steps)
      busy += price.time * (Double(micro.count) * weight / steps)
      byBound.add(price.byBound, times: weight)
    }
    phase.energy += idleEnergy(phase.time, busy: busy)
    phase.bound = byBound.largest
    return phase
  }

  /// Pipeline stages that wait still draw power: for the time of all devices less the time the busy ones account for.
  private func idleEnergy(_ time: Seconds, busy: Seconds) -> Joules {
    let parallelism = deployment.parallelism
    guard parallelism.pipeline > 1 else { return .zero }
    let waiting = time * Double(parallelism.devices) - busy * Double(parallelism.tensor * parallelism.data)
    return standingPower * max(.zero, waiting)
  }

  /// What one device draws while it is in service and waits.
  private var standingPower: Watts {
    deployment.pricer.constants[.powerStatic] * deployment.platform.device.power.cap
  }
}

/// Gauss's rule of three points, for sums over whole numbers: exact for cubics, and close for smooth functions.
enum GaussRule {
  /// Points in `first...last` with weights that add up to their count; every point, once, when there are few.
  ///
  /// A kink is a number after which the function takes another course; pieces between kinks get points of their own.
  static func points(from first: Int, through last: Int, kinks: [Int] = []) -> [(Int, Double)] {
    var points: [(Int, Double)] = []
    var start = first
    for kink in kinks.sorted() + [last] where start <= kink && kink <= last {
      points += piece(start, kink)
      start = kink + 1
    }
    return points
  }

  /// The points lie symmetrically about the middle (an even count has two middle ones), so odd powers cancel; the
  /// outer weight makes the sum of squares right although Gauss's abscissa is rounded to a whole number.
  private static func piece(_ first: Int, _ last: Int) -> [(Int, Double)] {
    let count = last - first + 1
    guard count > 5 else { return (first...last).map { ($0, 1) } }
    let n = Double(count)
    let squares = n * (n * n - 1) / 12
    let reach = n / 2 * 0.7745966692414834
    let middle = first + (count - 1) / 2
    guard count % 2 == 0 else {
      let side = Int(reach.rounded())
      let outer = squares / Double(2 * side * side)
      return [(middle - side, outer), (middle, n - 2 * outer), (middle + side, outer)]
    }
    let side = Int(reach)
    let distance = Double(side) + 0.5
    let outer = (squares - n / 4) / (2 * distance * distance - 0.5)
    let inner = n / 2 - outer
    return [(middle - side, outer), (middle, inner), (middle + 1, inner), (middle + 1 + side, outer)]
  }
}
