import DequeModule
import Execution
import ModelGraph
import Quantities

/// One copy of a model serving requests: waiting line, paged KV cache, and the batch of the current step.
///
/// Continuous batching with chunked prefill, first come first served: decodes go first, prompts fill what is left of
/// the token budget in order of admission. When the cache runs out, the request admitted last gives up its blocks and
/// is computed again later, answer so far included, from the head of the line.
struct Replica {
  let limits: ServingLimits
  let costs: StepTable

  private(set) var waiting = Deque<RunningRequest>()
  /// Requests that hold a slot; slots are reused.
  private var slots: [RunningRequest?]
  private var freeSlots: [Int]
  private var order: SlotOrder
  private var decodes: DecodeGroup
  /// Decode step at which a slot joined, and its cached tokens and answer then.
  private var joined: [(step: Int, cached: Int, generated: Int)]
  /// Slots whose prompt is in work, in order of admission.
  private var prefilling: [Int] = []
  /// Prompt tokens of the current step, by slot.
  private var chunks: [(slot: Int, tokens: Int)] = []
  private(set) var freeBlocks: Int
  private(set) var preemptions = 0

  init(limits: ServingLimits, costs: StepTable) {
    self.limits = limits
    self.costs = costs
    let capacity = limits.maxSequences
    slots = Array(repeating: nil, count: capacity)
    freeSlots = Array((0..<capacity).reversed())
    order = SlotOrder(capacity: capacity)
    decodes = DecodeGroup(spans: costs.spans, blockSize: limits.blockSize, capacity: capacity)
    joined = Array(repeating: (0, 0, 0), count: capacity)
    freeBlocks = limits.blocks
  }

  var usedBlocks: Int { limits.blocks - freeBlocks }
  var running: Int { order.count }
  var decoding: Int { decodes.count }
  var isIdle: Bool { order.count == 0 && waiting.isEmpty }

  /// Whether the runtime takes a request at all: within the model's length and the whole cache.
  func canServe(_ request: RunningRequest) -> Bool {
    let tokens = request.inputTokens + request.outputTokens
    return tokens <= limits.maxModelLength && limits.blocks(for: tokens - 1) <= limits.blocks - limits.watermarkBlocks
  }

  mutating func enqueue(_ request: RunningRequest) { waiting.append(request) }

  // MARK: A step begins

  /// Forms the next batch and takes the blocks it needs.
  /// - Returns: What the step costs, or nothing when there is no work.
  mutating func beginStep(now: Int64) -> StepTable.Cost? {
    guard !isIdle else { return nil }
    chunks.removeAll(keepingCapacity: true)
    let before = preemptions
    while decodes.blocksNeeded > freeBlocks, let last = order.last { preempt(last, now: now) }
    freeBlocks -= decodes.blocksNeeded
    var step = StepShape()
    step.decodeSequences = decodes.count
    step.decodeContext = decodes.context
    var budget = limits.maxBatchedTokens - decodes.count
    let allGoOn = continuePrompts(&step, &budget, now: now)
    if allGoOn, preemptions == before { admit(&step, &budget, now: now) }
    guard step.tokens > 0 else { return nil }
    return costs.cost(step)
  }

  /// Gives prompts in work their next chunks.
  /// - Returns: Whether none waits for blocks; while one does, nobody is admitted past it.
  private mutating func continuePrompts(_ step: inout StepShape, _ budget: inout Int, now: Int64) -> Bool {
    var index = 0
    while index < prefilling.count, budget > 0 {
      let slot = prefilling[index]
      guard let request = slots[slot] else { break }
      let tokens = min(budget, request.target - request.computed)
      let needed = limits.blocks(for: request.computed + tokens) - request.blocks
      while needed > freeBlocks, let last = order.last, last != slot, !isInStep(last) { preempt(last, now: now) }
      // The last one waits for the others to finish; nobody after it could go on either.
      guard needed <= freeBlocks else { return false }
      add(slot, tokens, needed, &step, &budget)
      index += 1
    }
    return true
  }

  /// Decodes of this step keep what they were given; only requests without a part in it may be preempted for prompts.
  private func isInStep(_ slot: Int) -> Bool {
    !prefilling.contains(slot) || chunks.contains { $0.slot == slot }
  }

  /// Takes requests from the head of the line while tokens, slots and blocks last.
  private mutating func admit(_ step: inout StepShape, _ budget: inout Int, now: Int64) {
    while budget > 0, let request = waiting.first, let slot = freeSlots.last {
      let whole = request.target
      guard limits.chunkedPrefill || whole <= budget || step.prefillTokens == 0 else { return }
      let tokens = limits.chunkedPrefill ? min(budget, whole) : whole
      let needed = limits.blocks(for: tokens)
      guard needed + limits.watermarkBlocks <= freeBlocks else { return }
      waiting.removeFirst()
      freeSlots.removeLast()
      slots[slot] = request
      if request.firstScheduled < 0 { slots[slot]?.firstScheduled = now }
      order.append(slot)
      prefilling.append(slot)
      add(slot, tokens, needed, &step, &budget)
    }
  }

  private mutating func add(
    _ slot: Int, _ tokens: Int, _ needed: Int, _ step: inout StepShape, _ budget: inout Int
  ) {
    guard let request = slots[slot] else { return }
    let last = request.computed + tokens == request.target
    step.addPrefill(sequences: 1, tokens: tokens, start: request.computed, last: last, spans: costs.spans)
    chunks.append((slot, tokens))
    slots[slot]?.blocks += needed
    freeBlocks -= needed
    budget -= tokens
  }

  // MARK: A step ends

  /// Books the tokens of the step that ends now.
  /// - Parameters:
  ///   - nanoseconds: How long the step took: the gap between each decoding request's last two tokens.
  ///   - finish: Called for each completed request.
  mutating func endStep(
    now: Int64, nanoseconds: Int64, _ metrics: inout ServingMetrics, finish: (RequestRecord) throws -> Void
  ) rethrows {
    if decodes.count > 0 {
      metrics.addGap(nanoseconds, count: decodes.count)
      metrics.outputTokens += decodes.count
      decodes.advance()
      while let slot = decodes.popFinished() {
        decodes.forget(slot: slot, cached: cached(slot))
        try complete(slot, cached: cached(slot), now: now, &metrics, finish)
      }
    }
    for (slot, tokens) in chunks { slots[slot]?.computed += tokens }
    // Before anything is settled: a finished request's slot may be gone afterwards.
    if !chunks.isEmpty { prefilling.removeAll { slot in slots[slot].map { $0.computed == $0.target } ?? true } }
    for (slot, _) in chunks { try settlePrompt(slot, now: now, &metrics, finish) }
  }

  /// When a prompt is whole, its next token is out: the first one, or after a preemption the one it was waiting for.
  private mutating func settlePrompt(
    _ slot: Int, now: Int64, _ metrics: inout ServingMetrics, _ finish: (RequestRecord) throws -> Void
  ) rethrows {
    guard var request = slots[slot], request.computed == request.target else { return }
    let cached = request.computed
    metrics.outputTokens += 1
    metrics.inputTokens += request.generated == 0 ? request.inputTokens : 0
    if request.firstToken < 0 {
      request.firstToken = now
    } else {
      metrics.addGap(now - request.lastToken, count: 1)
    }
    request.generated += 1
    slots[slot] = request
    guard request.generated < request.outputTokens else {
      try complete(slot, cached: cached, now: now, &metrics, finish)
      return
    }
    joined[slot] = (decodes.step, cached, request.generated)
    decodes.join(slot: slot, cached: cached, steps: request.outputTokens - request.generated)
  }

  private mutating func complete(
    _ slot: Int, cached: Int, now: Int64, _ metrics: inout ServingMetrics, _ finish: (RequestRecord) throws -> Void
  ) rethrows {
    guard let request = slots[slot] else { return }
    freeBlocks += limits.blocks(for: cached)
    release(slot)
    let record = RequestRecord(request, .completed, completion: now)
    metrics.add(record)
    try finish(record)
  }

  private mutating func release(_ slot: Int) {
    slots[slot] = nil
    freeSlots.append(slot)
    order.remove(slot)
  }

  /// Tokens a decoding slot has in cache.
  private func cached(_ slot: Int) -> Int { joined[slot].cached + decodes.step - joined[slot].step }

  // MARK: Preemption

  /// Takes a request out of the batch, frees its blocks and puts it at the head of the line, to be computed again.
  private mutating func preempt(_ slot: Int, now: Int64) {
    guard var request = slots[slot] else { return }
    if let place = prefilling.firstIndex(of: slot) {
      prefilling.remove(at: place)
      freeBlocks += request.blocks
    } else {
      let tokens = cached(slot)
      decodes.leave(slot: slot, cached: tokens)
      freeBlocks += limits.blocks(for: tokens)
      request.generated = joined[slot].generated + decodes.step - joined[slot].step
      request.lastToken = now
    }
    request.computed = 0
    request.blocks = 0
    request.preemptions += 1
    preemptions += 1
    release(slot)
    waiting.prepend(request)
  }

  // MARK: Checking

  /// Blocks that running requests hold, counted one by one, with those of the step in progress or without: what
  /// ``usedBlocks`` must say.
  func heldBlocks(inStep: Bool) -> Int {
    slots.indices.reduce(0) { sum, slot in
      guard let request = slots[slot] else { return sum }
      if prefilling.contains(slot) { return sum + request.blocks }
      return sum + limits.blocks(for: cached(slot) + (inStep ? 1 : 0))
    }
  }

  // MARK: The end of the run

  /// Everything still waiting or running, in order of arrival.
  func unfinished() -> [RequestRecord] {
    (slots.compactMap { $0 } + waiting).sorted { $0.id < $1.id }.map { RequestRecord($0, .unfinished) }
  }
}
