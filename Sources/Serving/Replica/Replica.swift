import EventKernel
import Execution
import ModelGraph
import Quantities
import Workloads

/// One copy of a model serving requests: waiting line, paged KV cache, and the batch of the current step.
///
/// A step takes the decoding sequences and prompts that the scheduler's ``Batching`` says. When the cache runs out, a
/// running request gives up its blocks: the one admitted last, or the one with the highest key. Decode steps in which
/// nothing can change are taken together, as one span that can be cut at any step's end.
struct Replica {
  let limits: ServingLimits
  let options: ReplicaOptions
  let hasSpeculation: Bool
  /// Prices the steps at hand.
  var costs: StepTable
  /// The heat of the case, on devices that throttle.
  var heat: ReplicaHeat?
  /// Prices the draft model's steps, with speculation that has one.
  let draftCosts: StepTable?
  let batching: Batching

  /// Its options' role, unless it has changed.
  var role: ReplicaOptions.Role
  var ranking: Ranking
  var waiting: WaitingLine
  /// Rows of the requests that hold a slot; -1 for a free slot.
  let slots: FixedArray<Int32>
  let freeSlots: ReusableStack<Int>
  /// The requests whose step is formed or booked; without stages, all that run.
  var batch: MicroBatch
  /// Stages and the other micro-batches; nothing without stages.
  let pipeline: Pipeline?
  let forming = FormingStep()
  var pool: BlockPool
  var adapters: AdapterSlots
  /// Slots set aside for the other samples of a prompt in work, by the row of the first.
  var sampleSlots: [Int32: [Int]] = [:]
  var hostBlocks = 0
  /// Caches that have come from a prefill replica and wait for a slot.
  var received: [Int32] = []
  /// Rows that end with the step in progress.
  var givenUp: [Int32] = []
  /// Rows that ended, or whose prompt is ready to move on, in the step just booked.
  let ended = ReusableStack<Int32>()
  var handedOver: [Int32] = []
  /// Rows whose slot in a static batch has become free after they were reported.
  var retired: [Int32] = []
  /// Rows whose cache is on its way to a decoding replica.
  var departing: [Int32] = []
  var counts = ReplicaCounts()
  /// When a decoding slot's newest token came out, while decodes wait for a step of prompts.
  let tokenTimes: FixedArray<Int64>
  /// Whether one who waits was not known in time for the step in progress.
  var defersArrivals = false
  /// The lots by which drafts are accepted.
  var lots: RandomStream
  var backlog: PromptBacklog
  /// Requests of each tenant that are here, for fair shares.
  let tenantRequests: FixedArray<Int>

  init(
    limits: ServingLimits, costs: StepTable, scheduler: any Scheduler = FirstComeFirstServed(),
    batching: Batching? = nil, options: ReplicaOptions = ReplicaOptions(), classes: [RequestClass] = [.standard],
    forest: PrefixForest? = nil, draftCosts: StepTable? = nil, stages: StagedCosts? = nil, seed: UInt64 = 1,
    index: Int = 0
  ) {
    var limits = limits
    let batching = scheduler.batching ?? batching ?? Batching(limits.chunkedPrefill ? .chunked : .mixed)
    // Decodes may exceed a scheduler's budget; prompts get what they leave.
    if let tokens = batching.tokens { limits.maxBatchedTokens = tokens }
    self.limits = limits
    self.options = options
    hasSpeculation = options.speculation != nil
    role = options.role
    self.costs = costs
    self.draftCosts = draftCosts
    self.batching = batching
    ranking = Ranking(scheduler, classes)
    backlog = PromptBacklog(measuresRate: options.measuresPromptRate)
    waiting = WaitingLine(scheduler.line, tenants: ranking.tenants)
    let capacity = limits.maxSequences
    slots = FixedArray(repeating: -1, count: capacity)
    freeSlots = ReusableStack((0..<capacity).reversed())
    func empty(_ capacity: Int) -> MicroBatch { MicroBatch(limits: limits, spans: costs.spans, capacity: capacity) }
    batch = empty(capacity)
    pipeline = stages.map { Pipeline($0, capacity: capacity, empty: { empty(0) }, batch: { empty(capacity) }) }
    // What has left a cache of a fixed budget cannot be found there again.
    let keepsPrefixes = options.prefixCache && limits.keptTokens == .max
    let cache = PrefixCache(
      blockSize: limits.blockSize, eviction: options.eviction, forest: keepsPrefixes ? forest : nil)
    pool = BlockPool(total: limits.blocks, cache: cache)
    adapters = AdapterSlots(capacity: options.adapterSlots)
    tokenTimes = FixedArray(repeating: 0, count: capacity)
    tenantRequests = FixedArray(repeating: 0, count: ranking.tenants)
    lots = RandomStream(seed: seed, name: "serving.speculation.\(index)")
  }

  var freeBlocks: Int { pool.available }
  var usedBlocks: Int { pool.used }
  /// Requests that run, in all micro-batches together. Inlined, as otherwise a replica is copied to be asked.
  @inline(__always)
  var running: Int {
    guard let pipeline else { return batch.order.count }
    return pipeline.running(beside: batch.order.count)
  }
  var isIdle: Bool { running == 0 && waiting.isEmpty && received.isEmpty }
  /// Requests here, waiting or running.
  @inline(__always)
  var outstanding: Int { running + waiting.count + received.count }

  func canServe(_ request: Request) -> Bool { limits.canServe(request) }

  /// Puts a request into the waiting line.
  mutating func enqueue(_ row: Int32, now: Int64, _ table: RequestTable) {
    let tenant = ranking.tenant(table[row].request.classIndex)
    if ranking.countsService, tenantRequests[tenant] == 0 {
      let steps = stepsTaken(at: now)
      let requests = tenantRequests
      ranking.becomesActive(tenant, decodeSteps: steps) { requests[$0] > 0 }
    }
    tenantRequests[tenant] += 1
    wait(row, atHead: false, now: now, table)
    if let span = batch.clock.span, span.steps > 1, mayChangeWithArrival { cut(at: now) }
  }

  /// Whether a request that arrives could enter before the span ends: not while others wait in front of it for good.
  private var mayChangeWithArrival: Bool { waiting.count == 1 || !ranking.scheduler.line.isByArrival }

  mutating func wait(_ row: Int32, atHead: Bool, now: Int64, _ table: RequestTable) {
    table[row].isInLine = true
    backlog.add(table[row].promptRest, now: now)
    if waiting.isByArrival {
      waiting.addByArrival(row, atHead: atHead)
      return
    }
    let live = table[row]
    let ranking = self.ranking
    waiting.add(row, tenant: ranking.tenant(live.request.classIndex), atHead: atHead) {
      ranking.place(live, row: row, now: now)
    }
  }

  /// The cache of a request has come from a prefill replica; blocks were reserved for it.
  mutating func receive(_ row: Int32, now: Int64, _ table: RequestTable) {
    received.append(row)
    tenantRequests[ranking.tenant(table[row].request.classIndex)] += 1
    cut(at: now)
  }

  /// Whether a cache of so many blocks can come: nobody who was here before waits, and there is room beside the blocks
  /// that the step in progress has yet to fill.
  func hasRoom(_ blocks: Int, now: Int64) -> Bool {
    waiting.isEmpty && blocks + limits.watermarkBlocks + usedBlocks(at: now) - usedBlocks <= pool.available
  }

  /// Sets blocks aside for a cache that is to come; the step in progress is the last that did not reckon with it.
  /// - Precondition: ``hasRoom(_:now:)``.
  mutating func reserve(_ blocks: Int, now: Int64) {
    cut(at: now)
    pool.take(blocks)
  }

  /// A reservation is not needed.
  mutating func giveBack(_ blocks: Int) { pool.give(blocks) }

  /// A cache has arrived where it was sent.
  mutating func departed(_ row: Int32, _ table: RequestTable) {
    departing.removeAll { $0 == row }
    releaseCache(row, table)
  }

  /// Tokens of the answer that a request here has, the current span's whole steps not included.
  func generated(_ live: LiveRequest) -> Int {
    live.phase == .decoding
      ? live.generated + decodes(of: Int(live.slot)).stepsSinceJoin(Int(live.slot)) : live.generated
  }

  /// Tokens a decoding slot has in cache.
  func cached(_ slot: Int, _ table: RequestTable) -> Int {
    let live = table[slots[slot]]
    return live.phase == .decoding ? decodes(of: slot).cached(slot) : live.computed
  }

  // MARK: Checking

  /// Prompt tokens yet to be computed, counted one by one: what ``backlog`` must say.
  func uncomputedPromptTokens(_ table: RequestTable) -> Int {
    let waiting = waiting.rows { table[$0].phase == .waiting && table[$0].isInLine }
    var inWork: [Int32] = []
    eachBatch { _, batch in inWork += batch.prefilling.map { slots[$0] } }
    return (waiting + inWork).reduce(0) { $0 + table[$1].promptRest }
  }

  /// Blocks that requests at this replica hold, counted one by one, shared ones once: what ``usedBlocks`` must say.
  func heldBlocks(_ table: RequestTable) -> Int {
    var sum = pool.cache.blocks - pool.cache.evictable
    eachBatch { _, batch in
      batch.order.visit { slot in sum += heldBlocks(slot, batch, table) }
    }
    return sum + (received + departing).reduce(0) { $0 + table[$1].blocks }
  }

  /// With the blocks that the step in progress fills.
  private func heldBlocks(_ slot: Int, _ batch: borrowing MicroBatch, _ table: RequestTable) -> Int {
    let live = table[slots[slot]]
    guard live.phase == .decoding || live.isPadding else { return live.blocks + live.endBlocks }
    let takesPart = batch.clock.isBusy && batch.clock.isDecoding
    // Padding takes no part where drafts are verified.
    let gain = !batch.isSpeculative ? 1 : live.isPadding ? 0 : mostGained(slot, table)
    return limits.blocks(for: batch.decodes.cached(slot) + (takesPart ? gain : 0)) - live.sharedBlocks
  }
}

/// Prompt tokens of a slot in a step.
struct Chunk {
  var slot: Int
  var tokens: Int
}

/// What a replica counts over a run.
package struct ReplicaCounts: Sendable, Equatable {
  package var preemptions = 0
  package var swapsOut = 0
  package var swapsIn = 0
  /// Prompt tokens asked for, and those of them found in the prefix cache.
  package var promptTokens = 0
  package var hitTokens = 0
  package var adapterLoads = 0
  /// Sequences' steps that verified drafts, and the tokens these gave.
  package var speculations = 0
  package var speculatedTokens = 0

  mutating func add(_ other: ReplicaCounts) {
    preemptions += other.preemptions
    swapsOut += other.swapsOut
    swapsIn += other.swapsIn
    promptTokens += other.promptTokens
    hitTokens += other.hitTokens
    adapterLoads += other.adapterLoads
    speculations += other.speculations
    speculatedTokens += other.speculatedTokens
  }
}
