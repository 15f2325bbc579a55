import Foundation
import ReferenceEngine

/// Serves requests with the real engine: continuous batching, first come first served, prompts in chunks beside decodes.
///
/// Its clock is the time that steps take, which stands still between them: idle time is passed over, so that a trace of
/// hours takes as long as its steps.
package struct EngineServer {
  /// Tokens in one step, and sequences at once.
  package static let budget = 512
  package static let mostSequences = 32

  package struct Request: Sendable {
    package let arrival: Double
    package let prompt: [Int32]
    package let outputs: Int

    package init(arrival: Double, prompt: [Int32], outputs: Int) {
      self.arrival = arrival
      self.prompt = prompt
      self.outputs = outputs
    }
  }

  package struct Record: Sendable {
    package var firstToken = 0.0
    package var end = 0.0
  }

  /// What one step was made of.
  package struct Step: Sendable {
    package let start: Double
    package let end: Double
    package let decodes: Int
    package let promptTokens: Int
  }

  package struct Outcome: Sendable {
    package var records: [Record]
    package var steps: [Step] = []
  }

  private final class Running {
    let index: Int
    let request: Request
    let sequence = CachedSequence()
    var generated = 0
    var last: Int32 = 0

    init(_ index: Int, _ request: Request) {
      self.index = index
      self.request = request
    }

    var promptLeft: Int { max(0, request.prompt.count - sequence.length) }
  }

  private let engine: Engine

  package init(_ engine: Engine) { self.engine = engine }

  /// Replays requests in order of arrival. The cache must have room for all that run at once.
  package func run(_ requests: [Request]) throws -> Outcome {
    var outcome = Outcome(records: requests.map { _ in Record() })
    let clock: EngineClock = engine.pool.threads == 1 ? .thread : .wall
    var (now, next) = (0.0, 0)
    var running: [Running] = []
    var waiting: [Running] = []
    var sampler = Sampler.greedy
    while next < requests.count || !running.isEmpty || !waiting.isEmpty {
      if running.isEmpty, waiting.isEmpty { now = max(now, requests[next].arrival) }
      while next < requests.count, requests[next].arrival <= now {
        waiting.append(Running(next, requests[next]))
        next += 1
      }
      let chunks = form(&running, &waiting)
      let start = now
      let started = clock.now
      let logits = try engine.step(chunks.map(\.chunk))
      let wanted = chunks.filter { $0.chunk.wantsLogits }
      for (item, row) in zip(wanted, logits) { item.owner.last = sampler.next(row) }
      now += clock.now - started
      outcome.steps.append(
        Step(
          start: start, end: now, decodes: chunks.count { $0.owner.generated > 0 },
          promptTokens: chunks.reduce(0) { $0 + ($1.owner.generated == 0 ? $1.chunk.tokens.count : 0) }))
      for item in wanted {
        item.owner.generated += 1
        if item.owner.generated == 1 { outcome.records[item.owner.index].firstToken = now }
        if item.owner.generated == item.owner.request.outputs {
          outcome.records[item.owner.index].end = now
          engine.cache.release(item.owner.sequence)
        }
      }
      running.removeAll { $0.generated == $0.request.outputs }
    }
    return outcome
  }

  /// All decodes, then prompts in work, then new ones, within the budget.
  private func form(
    _ running: inout [Running], _ waiting: inout [Running]
  ) -> [(owner: Running, chunk: Engine.Chunk)] {
    var budget = Self.budget
    var chunks: [(owner: Running, chunk: Engine.Chunk)] = []
    for item in running where item.generated > 0 {
      chunks.append((item, Engine.Chunk(item.sequence, tokens: [item.last])))
      budget -= 1
    }
    func addPrompt(_ item: Running) {
      let first = item.sequence.length
      let count = min(budget, item.promptLeft)
      let tokens = Array(item.request.prompt[first..<first + count])
      chunks.append((item, Engine.Chunk(item.sequence, tokens: tokens, wantsLogits: count == item.promptLeft)))
      budget -= count
    }
    for item in running where item.generated == 0 && budget > 0 { addPrompt(item) }
    while budget > 0, running.count < Self.mostSequences, !waiting.isEmpty {
      running.append(waiting.removeFirst())
      addPrompt(running[running.count - 1])
    }
    return chunks
  }
}
