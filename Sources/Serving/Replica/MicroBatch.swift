import EventKernel
import ModelGraph

/// Requests that go through steps together: who they are, and their step in progress. A replica without pipeline stages
/// has one, a pipelined one as many as stages.
struct MicroBatch {
  /// Their slots, in order of admission.
  var order: SlotOrder
  var decodes: DecodeGroup
  /// Slots whose prompt is in work, in order of admission.
  let prefilling = ReusableStack<Int>()
  /// Prompt tokens of the current step, by slot.
  let chunks = ReusableStack<Chunk>()
  /// Slots of a static batch whose answers have ended.
  var padding: [Int] = []
  var clock = ReplicaClock()
  /// Whether decodes wait for a step of prompts.
  var decodesWait = false
  /// Decoding slots whose newest token came out before the last step: elsewhere, or before they lost their place.
  var late: [Int] = []
  /// Whether the step in progress verifies drafts.
  var isSpeculative = false
  /// When decode steps ended, where somebody wants to know.
  var stepLog: StepLog?
  /// Slots set aside for samples of prompts in work.
  var setAside = 0
  /// The step's way through the stages.
  var passage = StageClock.Passage()
  /// With stages, when the step before the last one begun ended.
  var previousEnd: Int64 = 0

  init(limits: ServingLimits, spans: AttentionSpans, capacity: Int) {
    order = SlotOrder(capacity: capacity)
    decodes = DecodeGroup(spans: spans, blockSize: limits.blockSize, kept: limits.keptTokens, capacity: capacity)
  }

  /// With stages, when the decoding sequences' newest tokens came out.
  var newestToken: Int64 { clock.isBusy ? previousEnd : clock.end }
}
