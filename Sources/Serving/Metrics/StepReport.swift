/// One step of a replica, or decode steps taken at once, for timelines.
package struct StepReport: Sendable {
  package let replica: Int
  /// The micro-batch that went through the stages; nothing without stages.
  package let microBatch: Int?
  /// Nanoseconds since the start of the run.
  package let start: Int64
  package let end: Int64
  /// More than one when decode steps were taken at once.
  package let steps: Int
  /// Sequences that decode in it.
  package let decodes: Int
  /// Prompts in work, and their tokens in it.
  package let prompts: Int
  package let promptTokens: Int
  /// Of the replica when the step ends, before anybody leaves.
  package let running: Int
  package let waiting: Int
  package let usedBlocks: Int
  package let blocks: Int

  init(_ index: Int, _ replica: Replica) {
    let batch = replica.batch
    let clock = batch.clock
    self.replica = index
    microBatch = replica.pipeline?.current
    start = clock.start
    end = clock.end
    steps = clock.span?.steps ?? 1
    decodes = clock.isDecoding ? batch.decodes.count : 0
    prompts = batch.chunks.count
    promptTokens = batch.chunks.reduce(0) { $0 + $1.tokens }
    running = replica.running
    waiting = replica.waiting.count
    usedBlocks = replica.usedBlocks(at: clock.end)
    blocks = replica.limits.blocks
  }
}
