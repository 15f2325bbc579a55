import Workloads

/// A request in the system, with what has happened to it.
struct LiveRequest {
  enum Phase: UInt8 {
    case waiting, prefilling, decoding, transferring
    /// No longer served, but not reported yet: it stands for other samples of its prompt.
    case leaving
    /// Ended while its place in a line or a timer still refers to it.
    case ended
  }

  /// Position in the traffic, from 0.
  var id: Int
  var request: Request
  var phase = Phase.waiting
  /// Tells a timer whether it still means this request.
  var generation: UInt32 = 0
  /// Replica it is at, and its slot there.
  var replica: Int32 = -1
  var slot: Int32 = -1
  /// Tokens (of the prompt and, after a preemption, of the answer to recompute) whose keys and values are in cache.
  var computed = 0
  /// Tokens of the answer so far, up to the last time it was looked at.
  var generated = 0
  /// Tokens of the answer when it last got a slot.
  var generatedBefore = 0
  /// KV blocks of its own, and the shared ones before them.
  var blocks = 0
  var sharedBlocks = 0
  /// Blocks set aside for its samples' own copies of the prompt's last block.
  var endBlocks = 0
  /// Node of the prefix cache it holds; -1 for none.
  var node: Int32 = -1
  /// Whether its cache waits in host memory.
  var isSwapped = false
  /// How it ends when its user has given up, or the runtime has; a running one with the step in progress.
  var givenUpAs: RequestRecord.Outcome?
  /// Prompt tokens found in the prefix cache when it was first scheduled.
  var hitTokens = 0
  var firstScheduled: Int64 = -1
  var firstToken: Int64 = -1
  /// When its newest token came out, up to the last time it was looked at.
  var lastToken: Int64 = -1
  var preemptions = 0
  var retries = 0
  /// Length of the answer as its scheduler is told; 0 when it is told nothing.
  var predicted = 0
  /// First of the requests that generate from one prompt; itself when it is alone.
  var family: Int32 = -1
  /// Of the first one: members that have not ended.
  var openSamples = 1
  /// Of the first one: answer tokens of its other members that have ended.
  var siblingTokens = 0
  /// Whether it has been reported, and only its place in a static batch is left.
  var isPadding = false
  /// Whether a place in a waiting line still refers to it.
  var isInLine = false

  init(id: Int, _ request: Request) {
    self.id = id
    self.request = request
  }

  var arrival: Int64 { request.arrival.nanoseconds }
  var inputTokens: Int { request.inputTokens }
  var outputTokens: Int { request.outputTokens }
  /// Tokens to have in cache before the next token can be generated.
  var target: Int { request.inputTokens + generated }
  /// Whether all tokens before the next one are in cache.
  var promptIsWhole: Bool { computed == target }
  /// Whether it goes on decoding as soon as its cache is back from host memory.
  var resumesDecoding: Bool { isSwapped && generated > 0 && computed >= target - 1 }
  /// Tokens of it to compute before its next token comes out, of a request that waits or whose prompt is in work.
  var promptRest: Int { resumesDecoding ? 0 : target - computed }
  /// Prompt tokens that it has been served once.
  var promptTokensServed: Int { generated > 0 ? inputTokens : min(computed, inputTokens) }
}

/// The requests in the system, by row; rows are reused, so memory follows the load, not the length of a run.
///
/// The engine and its replicas read and write rows in every step, so they lie in one piece of memory that is neither
/// copied nor counted. A row beyond those that were added is a mistake of the engine, and traps.
final class RequestTable {
  @exclusivity(unchecked) private var rows: UnsafeMutablePointer<LiveRequest>
  @exclusivity(unchecked) private var capacity: Int
  @exclusivity(unchecked) private var used: UInt32 = 0
  @exclusivity(unchecked) private var free: [Int32] = []
  /// When tokens came out, where somebody wants to know.
  @exclusivity(unchecked) var trails: TokenTrails?

  init() {
    capacity = 64
    rows = .allocate(capacity: capacity)
  }

  deinit {
    rows.deinitialize(count: Int(used))
    rows.deallocate()
  }

  /// Requests in the system.
  var count: Int { Int(used) - free.count }

  /// Every row, those that are free too.
  var indices: Range<Int32> { 0..<Int32(used) }

  subscript(row: Int32) -> LiveRequest {
    @inline(__always) unsafeAddress {
      precondition(UInt32(bitPattern: row) < used, "there is no such row")
      return UnsafePointer(rows + Int(row))
    }
    @inline(__always) unsafeMutableAddress {
      precondition(UInt32(bitPattern: row) < used, "there is no such row")
      return rows + Int(row)
    }
  }

  func add(_ live: LiveRequest) -> Int32 {
    if let row = free.popLast() {
      let generation = self[row].generation &+ 1
      self[row] = live
      self[row].generation = generation
      trails?.clear(row)
      return row
    }
    if Int(used) == capacity { grow() }
    (rows + Int(used)).initialize(to: live)
    used += 1
    trails?.clear(Int32(used - 1))
    return Int32(used - 1)
  }

  private func grow() {
    let larger = UnsafeMutablePointer<LiveRequest>.allocate(capacity: 2 * capacity)
    larger.moveInitialize(from: rows, count: Int(used))
    rows.deallocate()
    rows = larger
    capacity *= 2
  }

  /// The rows of all samples of one prompt.
  func family(_ row: Int32) -> [Int32] {
    indices.filter { self[$0].phase != .ended && self[$0].family == self[row].family }
  }

  func remove(_ row: Int32) {
    self[row].phase = .ended
    free.append(row)
  }
}
