import CostModels
import ModelGraph
import Quantities

extension Predictor {
  /// The mean time of an output token while so many clients keep the engine busy, each sending its next prompt when the
  /// last is answered.
  ///
  /// In the steady state every sequence's `outputTokens` steps carry one prompt of each client. Prompts enter in steps
  /// of the runtime's token budget, together with the decodes that run; sequences are on average half way.
  /// - Throws: ``PredictionError`` when not even one client's cache fits.
  package func predictClosedLoop(_ batch: BatchCase) throws(PredictionError) -> Seconds {
    let perReplica = batch.sequences.dividedUp(by: deployment.parallelism.data)
    let reach = batch.inputTokens + batch.outputTokens - 1
    let fitting = ledger.largestBatch(tokens: reach)
    guard fitting > 0 else {
      throw .cacheDoesNotFit(
        batch: batch, missing: ledger.cache(tokens: reach) - ledger.cacheRoom, largestBatch: 0, longestContext: 0)
    }
    let running = min(perReplica, fitting, deployment.runtime.maxSequences)
    let context = batch.inputTokens + batch.outputTokens / 2
    let steps = Double(batch.outputTokens)
    let plain = deployment.price(.decode(sequences: running, context: context, spans: deployment.graph.spans))
    let (mixed, count) = mixedStep(clients: running, context: context, batch)
    let slow = deployment.price(mixed)
    let waiting = max(0, steps - count)
    return (plain.bottleneck * waiting + slow.bottleneck * count) / max(steps, count + waiting)
  }

  /// A step that decodes for all but the clients whose prompts it takes in, and how many such steps every client's
  /// prompt needs together.
  private func mixedStep(clients: Int, context: Int, _ batch: BatchCase) -> (step: StepShape, count: Double) {
    let spans = deployment.graph.spans
    let budget = max(1, deployment.runtime.maxBatchedTokens - clients)
    let chunks = batch.inputTokens.dividedUp(by: budget)
    let wanted = clients.dividedUp(by: batch.outputTokens)
    let together = chunks > 1 ? 1 : max(1, min(wanted, budget / batch.inputTokens))
    let tokens = batch.inputTokens.dividedUp(by: chunks)
    var step = StepShape.decode(sequences: max(1, clients - together), context: context, spans: spans)
    step.addPrefill(
      sequences: together, tokens: tokens, start: (batch.inputTokens - tokens) / 2, last: true, spans: spans)
    return (step, Double(clients * chunks) / Double(together))
  }
}
