import Documents
import Execution
import Quantities
import Studies
import Techniques
import Testing
import Workloads

/// Techniques in replays: what they make of requests, of drafts, and of the cache's blocks.
@Suite struct TechniqueReplayTests {
  /// Requests of fixed lengths, all there at once or from so many users who ask again.
  private func loop(
    _ techniques: String, users: Int? = nil, requests: Int = 32, input: Int = 100, output: Int = 40,
    extra: String = "runtime: vllm-v0"
  ) throws -> Scenario {
    let arrivals =
      users.map { "{process: closed-loop, users: \($0), source: p}" }
      ?? "{process: poisson, rate_per_s: 1000, source: p}"
    return try scenario(
      """
      traffic: {described: {name: loop, title: A loop, requests: \(requests), sources: {p: made up}, arrivals: \
      \(arrivals), input_tokens: {distribution: fixed, tokens: \(input), source: p}, output_tokens: \
      {distribution: fixed, tokens: \(output), source: p}}}
      """, "horizon: {requests: \(requests)}", "techniques: [\(techniques)]", extra)
  }

  private func run(_ scenario: Scenario) throws -> RunSummary {
    let outcome = try Shipped.runner().run(scenario)
    return RunSummary(outcome, requests: 0..<outcome.series.count)
  }

  private func requests(_ scenario: Scenario) throws -> [Request] {
    var source = try ScenarioBuilder(library: Shipped.library()).source(scenario)
    var all: [Request] = []
    while let request = try source.next() { all.append(request) }
    return all
  }

  @Test func `answers, samples and images of requests change before they are served`() throws {
    let halved = try requests(loop("\"output-length:factor=0.5\""))
    #expect(halved.count == 32 && halved.allSatisfy { $0.outputTokens == 20 && $0.inputTokens == 100 })
    let sampled = try requests(loop("\"samples:count=4\""))
    #expect(sampled.allSatisfy { $0.samples == 4 })
    let seen = try requests(loop("\"visual-tokens:tokens=576,drop=none\""))
    #expect(seen.allSatisfy { $0.inputTokens == 676 })
  }

  @Test func `questions in one prompt share its instructions and wait for the last`() throws {
    let alone = try requests(loop("\"output-length:factor=1\"", requests: 10))
    let joined = try requests(loop("\"batch-prompting:questions=4,shared=60\"", requests: 10))
    // Ten questions are two prompts of four and one of two; each adds 40 tokens of its own to the 60.
    #expect(joined.map(\.inputTokens) == [220, 220, 140])
    #expect(joined.map(\.outputTokens) == [160, 160, 80])
    #expect(joined.map(\.arrival) == [alone[3].arrival, alone[7].arrival, alone[9].arrival])
  }

  @Test func `four samples are four answers of one request, whose prompt they share`() throws {
    let runner = try Shipped.runner()
    let plain = try runner.run(loop("\"output-length:factor=1\"", users: 8, requests: 200)).result
    let sampled = try runner.run(loop("\"samples:count=4\"", users: 8, requests: 200)).result
    #expect(plain.metrics.outputTokens == 200 * 40)
    #expect(sampled.metrics.outputTokens == 4 * 200 * 40)
    #expect(sampled.metrics.inputTokens == plain.metrics.inputTokens)
    // Had each sample its own prompt and its own steps, requests would take four times as long.
    #expect(sampled.end < 3 * plain.end)
  }

  @Test func `what cannot be replayed says why`() throws {
    func reason(_ techniques: String, users: Int? = nil, extra: String = "runtime: vllm-v0") -> String {
      do {
        _ = try run(loop(techniques, users: users, extra: extra))
        return "it runs"
      } catch {
        return "\(error)"
      }
    }
    #expect(reason("\"tree-search:leaves=4,shared=0.5\"").contains("samples fork at its start"))
    #expect(reason("\"batch-prompting:questions=2,shared=10\"", users: 4).contains("wait for answers"))
    #expect(reason("\"kv-budget:tokens=64,layers=0.5\"").contains("layers keep different numbers of tokens"))
    #expect(
      reason("\"kv-budget:tokens=64\"", extra: "prefix_cache: lru").contains("keeps no prefixes"),
      "\(reason("\"kv-budget:tokens=64\"", extra: "prefix_cache: lru"))")
    #expect(
      reason("\"step-speculation:model=opt-125m,accepted=0.5\", \"ngram:depth=3,acceptance=0.4\"")
        .contains("one small model runs beside"))
  }

  @Test(arguments: [0.0, 0.7, 1.0])
  func `step speculation is replayed at the time a static batch is predicted to take`(kept: Double) throws {
    let text = "step-speculation:model=opt-125m,accepted=\(kept),tokens=20,scoring=50"
    let replayed = try #require(
      run(
        loop("\"\(text)\"", users: 8, requests: 8, output: 401, extra: "model: opt-1.3b"))[.tpotMean])
    let library = try Shipped.library()
    let deployment = try library.deployment(
      Library.Request(
        model: "opt-1.3b", hardware: "t4", runtime: "vllm-v1", techniques: [Techniques.parse(text)]))
    let predicted = try #require(
      Predictor(deployment).predict(BatchCase(sequences: 8, inputTokens: 100, outputTokens: 401)).tpot)
    // Sequences stand one thought apart at most, and refusals are drawn.
    #expect(abs(replayed / predicted.value - 1) < 0.08, "\(replayed) \(predicted)")
  }

  @Test func `a budget of the cache makes room for sequences that would wait`() throws {
    // A T4 holds some hundred sequences of 4000 tokens of OPT-1.3B; with 256 tokens each it holds all of them.
    let long = (users: 200, requests: 400, input: 1000, output: 400)
    func replay(_ techniques: String) throws -> RunSummary {
      try run(
        loop(
          techniques, users: long.users, requests: long.requests, input: long.input, output: long.output,
          extra: "model: opt-1.3b"))
    }
    let plain = try replay("\"output-length:factor=1\"")
    let budget = try replay("\"kv-budget:tokens=256\"")
    let (slow, fast) = try (#require(plain[.tokenRate]), #require(budget[.tokenRate]))
    #expect(fast > 1.3 * slow, "\(slow) \(fast)")
  }
}
