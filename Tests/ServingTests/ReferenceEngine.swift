import Execution
import ModelGraph
import Quantities
import Workloads

@testable import Serving

/// The serving engine as its documentation describes it, token by token over plain arrays: every sequence carries its
/// own counts, and every step looks at all of them.
struct ReferenceEngine {
  struct Sequence {
    var id: Int
    var arrival: Int64
    var input: Int
    var output: Int
    var cached = 0
    var generated = 0
    var blocks = 0
    var decodes = false
    var chunk = 0
    var firstScheduled: Int64 = -1
    var firstToken: Int64 = -1
    var lastToken: Int64 = -1
    var preemptions = 0
    var times: [Int64] = []

    func line(_ outcome: RequestRecord.Outcome, _ completion: Int64) -> String {
      "\(id) \(outcome) \(input)+\(output) arrived \(arrival) scheduled \(firstScheduled) "
        + "first \(firstToken) done \(completion) preempted \(preemptions)"
    }
  }

  let limits: ServingLimits
  let costs: StepTable
  var waiting: [Sequence] = []
  /// In order of admission.
  var running: [Sequence] = []
  var used = 0
  var lines: [String] = []
  var gaps: [Int64] = []
  /// When each completed request's tokens came out.
  var times: [Int: [Int64]] = [:]
  var steps = 0
  /// Picoseconds and nanojoules.
  var busy: Int64 = 0
  var energy: Int64 = 0
  var idle: Int64 = 0
  /// Picoseconds left over while busy.
  var carry: Int64 = 0
  var preemptions = 0
  var peakBlocks = 0
  var peakWaiting = 0
  var end: Int64 = 0
  var outputTokens = 0
  var inputTokens = 0

  init(_ scenario: Scenario) throws {
    limits = scenario.limits
    costs = try StepTable(scenario.deployment)
    run(scenario.requests)
  }

  func blocks(_ tokens: Int) -> Int {
    var count = 0
    while count * limits.blockSize < min(tokens, limits.keptTokens) { count += 1 }
    return count
  }

  private mutating func run(_ requests: [Request]) {
    var next = 0
    var now = requests[0].arrival.nanoseconds
    end = now
    while true {
      arrive(requests, &next, upTo: now)
      if let cost = begin(now) {
        idle += now - end
        if now > end { carry = 0 }
        steps += 1
        busy += cost.picoseconds
        energy += cost.nanojoules
        peakBlocks = max(peakBlocks, used)
        now += (carry + cost.picoseconds) / 1000
        carry = (carry + cost.picoseconds) % 1000
        arrive(requests, &next, upTo: now)
        finish(now)
        end = now
      } else if next < requests.count {
        now = requests[next].arrival.nanoseconds
      } else {
        return
      }
    }
  }

  private mutating func arrive(_ requests: [Request], _ next: inout Int, upTo now: Int64) {
    while next < requests.count, requests[next].arrival.nanoseconds <= now {
      let request = requests[next]
      let sequence = Sequence(
        id: next, arrival: request.arrival.nanoseconds, input: request.inputTokens, output: request.outputTokens)
      next += 1
      let all = sequence.input + sequence.output
      // The last token is never cached.
      if all > limits.maxModelLength || blocks(all - 1) + limits.watermarkBlocks > limits.blocks {
        lines.append(sequence.line(.rejected, -1))
        continue
      }
      waiting.append(sequence)
      peakWaiting = max(peakWaiting, waiting.count)
    }
  }

  private var free: Int { limits.blocks - used }

  private mutating func preemptLast(_ now: Int64) {
    var sequence = running.removeLast()
    used -= sequence.blocks
    sequence.blocks = 0
    sequence.cached = 0
    sequence.decodes = false
    sequence.preemptions += 1
    preemptions += 1
    waiting.insert(sequence, at: 0)
  }

  private mutating func begin(_ now: Int64) -> StepTable.Cost? {
    for index in running.indices { running[index].chunk = 0 }
    let before = preemptions
    func growth() -> Int { running.reduce(0) { $0 + ($1.decodes ? blocks($1.cached + 1) - $1.blocks : 0) } }
    while growth() > free { preemptLast(now) }
    for index in running.indices where running[index].decodes {
      used += blocks(running[index].cached + 1) - running[index].blocks
      running[index].blocks = blocks(running[index].cached + 1)
    }
    var budget = limits.maxBatchedTokens - running.count { $0.decodes }
    var stuck = false
    var index = 0
    while index < running.count, budget > 0 {
      defer { index += 1 }
      guard !running[index].decodes else { continue }
      let tokens = min(budget, running[index].input + running[index].generated - running[index].cached)
      let needed = blocks(running[index].cached + tokens) - running[index].blocks
      while needed > free, running.count > index + 1, !running[running.count - 1].decodes { preemptLast(now) }
      if needed > free {
        stuck = true
        break
      }
      give(index, tokens, needed, &budget)
    }
    if !stuck, preemptions == before { admit(now, &budget) }
    return running.contains { $0.decodes || $0.chunk > 0 } ? costs.cost(shape()) : nil
  }

  private mutating func give(_ index: Int, _ tokens: Int, _ needed: Int, _ budget: inout Int) {
    running[index].chunk = tokens
    running[index].blocks += needed
    used += needed
    budget -= tokens
  }

  private mutating func admit(_ now: Int64, _ budget: inout Int) {
    var prompts = running.reduce(0) { $0 + $1.chunk }
    while budget > 0, let head = waiting.first, running.count < limits.maxSequences {
      let whole = head.input + head.generated
      let tokens = limits.chunkedPrefill ? min(budget, whole) : whole
      if !limits.chunkedPrefill, whole > budget, prompts > 0 { return }
      guard blocks(tokens) + limits.watermarkBlocks <= free else { return }
      running.append(waiting.removeFirst())
      if head.firstScheduled < 0 { running[running.count - 1].firstScheduled = now }
      give(running.count - 1, tokens, blocks(tokens), &budget)
      prompts += tokens
    }
  }

  /// The step's sums, query by query and key by key.
  private func shape() -> StepShape {
    var step = StepShape()
    let windows = costs.spans.windows
    for sequence in running {
      if sequence.decodes {
        step.decodeSequences += 1
        for lane in 0..<4 { step.decodeContext[lane] += Double(min(sequence.cached + 1, windows[lane])) }
      } else if sequence.chunk > 0 {
        step.prefillSequences += 1
        step.prefillTokens += sequence.chunk
        if sequence.cached + sequence.chunk == sequence.input + sequence.generated { step.finishedPrompts += 1 }
        for lane in 0..<4 {
          var firstKey = Int.max
          for position in sequence.cached + 1...sequence.cached + sequence.chunk {
            let seen = min(position, windows[lane])
            step.prefillPairs[lane] += Double(seen)
            firstKey = min(firstKey, position - seen + 1)
          }
          step.prefillKeys[lane] += Double(sequence.cached + sequence.chunk - firstKey + 1)
        }
      }
    }
    return step
  }

  private mutating func finish(_ now: Int64) {
    var ended: [Sequence] = []
    for index in running.indices {
      if running[index].decodes {
        running[index].cached += 1
        emit(index, now)
      } else if running[index].chunk > 0 {
        running[index].cached += running[index].chunk
        guard running[index].cached == running[index].input + running[index].generated else { continue }
        if running[index].generated == 0 { inputTokens += running[index].input }
        running[index].decodes = true
        emit(index, now)
      }
    }
    running.removeAll { sequence in
      guard sequence.generated == sequence.output else { return false }
      ended.append(sequence)
      return true
    }
    for sequence in ended {
      used -= sequence.blocks
      lines.append(sequence.line(.completed, now))
      times[sequence.id] = sequence.times
    }
  }

  private mutating func emit(_ index: Int, _ now: Int64) {
    outputTokens += 1
    running[index].generated += 1
    if running[index].firstToken < 0 {
      running[index].firstToken = now
    } else {
      gaps.append(now - running[index].lastToken)
    }
    running[index].lastToken = now
    running[index].times.append(now)
  }
}
