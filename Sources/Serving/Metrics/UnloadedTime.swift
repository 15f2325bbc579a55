import Execution
import ModelGraph

/// How long prompts take on an empty replica, by their length.
struct UnloadedTime {
  private let costs: StepTable
  private let chunk: Int
  private var known: [Int: Int64] = [:]

  init(_ replica: Replica) {
    costs = replica.costs
    let budget = replica.limits.maxBatchedTokens
    chunk = replica.batching.isChunked ? min(budget, replica.batching.chunk ?? budget) : Int.max
  }

  /// Nanoseconds from a prompt's arrival to its first token, alone and with an empty prefix cache.
  mutating func firstToken(_ tokens: Int) -> Int64 {
    if let time = known[tokens] { return time }
    var picoseconds: Int64 = 0
    var start = 0
    while start < tokens {
      let count = min(chunk, tokens - start)
      var step = StepShape()
      step.addPrefill(sequences: 1, tokens: count, start: start, last: start + count == tokens, spans: costs.spans)
      picoseconds += costs.cost(step).picoseconds
      start += count
    }
    known[tokens] = picoseconds / 1000
    return picoseconds / 1000
  }
}
