import EventKernel
import Execution
import ModelGraph
import Quantities
import TestSupport
import Testing

@testable import Serving
@testable import Workloads

/// Micro-batches in pipeline stages against arithmetic by hand.
@Suite struct PipelineTests {
  // MARK: The clock of the stages

  private func cost(_ picoseconds: Int64) -> StepTable.Cost { .init(picoseconds: picoseconds, nanojoules: 0) }

  @Test func `equal micro-batches keep equal stages at work, and come out one stage's time apart`() {
    var clock = StageClock(stages: 4)
    let costs = Array(repeating: cost(10), count: 4)
    let ways = (0..<100).map { clock.pass(costs, hop: 3, from: 0, isAlone: $0 == 0) }
    // The first fills the pipeline: stage k waits for k stages and hops.
    #expect(ways[0].end == 4 * 10 + 3 * 3 && ways[0].waiting == 13 + 26 + 39)
    #expect(ways.dropFirst().allSatisfy { $0.waiting == 0 })
    for (a, b) in zip(ways, ways.dropFirst()) { #expect(b.end - a.end == 10) }
  }

  @Test func `unlike micro-batches leave the bubbles that arithmetic says`() {
    var clock = StageClock(stages: 2)
    let long = clock.pass([cost(100), cost(100)], hop: 5, from: 1000, isAlone: true)
    #expect(long.start == 1000 && long.end == 1205 && long.waiting == 105)
    // The short one waits for the long one's second stage.
    let short = clock.pass([cost(10), cost(10)], hop: 5, from: 1000, isAlone: false)
    #expect(short.start == 1100 && short.end == 1215 && short.waiting == 0)
    // The second stage waits for a long one behind a short one: from 1215 to 1110 + 100 + 5.
    let next = clock.pass([cost(100), cost(20)], hop: 5, from: 1000, isAlone: false)
    #expect(next.start == 1110 && next.end == 1235 && next.waiting == 0)
    let last = clock.pass([cost(100), cost(20)], hop: 5, from: 1000, isAlone: false)
    #expect(last.end == 1310 + 5 + 20 && last.waiting == 1315 - 1235)
    #expect(clock.trailing(last.end) == 1335 - 1310)
  }

  @Test func `a slow link sends one set of activations at a time`() {
    var clock = StageClock(stages: 2)
    let first = clock.pass([cost(1), cost(1)], hop: 50, from: 0, isAlone: true)
    let second = clock.pass([cost(1), cost(1)], hop: 50, from: 0, isAlone: false)
    #expect(first.end == 52 && second.end == 102)
  }

  // MARK: The engine

  private static let stages = 4

  private func deployment(layers: Int = 8, stages: Int = stages) throws -> Deployment {
    try RoundDeployment.make(TinyModel.dense(layers: layers, hidden: 2048), [:], Parallelism(pipeline: stages))
  }

  private func limits(sequences: Int, batch: Int? = nil) -> ServingLimits {
    var limits = ServingLimits(
      maxBatchedTokens: 4096, maxSequences: sequences, maxModelLength: 100_000, blockSize: 16, blocks: 100_000)
    limits.microBatchSequences = batch
    return limits
  }

  /// Stage times and the time of a hop, in picoseconds.
  private func times(_ step: StepShape, _ deployment: Deployment) throws -> (stages: [Int64], hop: Int64) {
    let staged = try #require(StagedCosts(deployment))
    var costs: [StepTable.Cost] = []
    staged.price(step, into: &costs)
    return (costs.map(\.picoseconds), staged.hop(step).picoseconds)
  }

  private func prompt(_ tokens: Int, _ deployment: Deployment) -> StepShape {
    StepShape.prefill(sequences: 1, tokens: tokens, spans: deployment.graph.spans)
  }

  @Test func `a request alone takes all stages and the hops between them for each token`() throws {
    let deployment = try deployment()
    let run = try Run([Request(at: 0, 100, 2)], deployment, limits(sequences: 16))
    let first = try times(prompt(100, deployment), deployment)
    let second = try times(StepShape.decode(sequences: 1, context: 101, spans: deployment.graph.spans), deployment)
    let record = try #require(run.completed.first)
    let firstSum = first.stages.reduce(0, +) + 3 * first.hop
    let secondSum = second.stages.reduce(0, +) + 3 * second.hop
    #expect(record.firstToken == firstSum / 1000)
    // The second step is priced by a curve.
    let gap = Double(record.completion - record.firstToken)
    #expect(abs(gap - Double(secondSum) / 1000) <= 5e-4 * gap + 1)
    // One stage works at a time: three of four wait, and all during hops.
    let busy = Double(first.stages.reduce(0, +) + second.stages.reduce(0, +))
    let share = 1 - busy / (4 * Double(firstSum + secondSum))
    #expect(abs(try #require(run.result.metrics.pipelineBubbleShare) - share) < 1e-3)
  }

  @Test func `two unlike prompts overlap as their stages let them`() throws {
    let deployment = try deployment(stages: 2)
    for (long, short) in [(400, 30), (30, 400)] {
      let run = try Run(
        [Request(at: 0, long, 1), Request(at: 0, short, 1)], deployment, limits(sequences: 2, batch: 1))
      let (a, b) = (try times(prompt(long, deployment), deployment), try times(prompt(short, deployment), deployment))
      let firstEnd = a.stages[0] + a.hop + a.stages[1]
      let there = a.stages[0] + b.stages[0] + b.hop
      let secondEnd = max(firstEnd, there) + b.stages[1]
      let ends = run.completed.sorted { $0.id < $1.id }.map(\.firstToken)
      #expect(ends == [firstEnd / 1000, secondEnd / 1000])
      let fill = a.stages[0] + a.hop
      let between = max(0, there - firstEnd)
      let drain = secondEnd - a.stages[0] - b.stages[0]
      let share = Double(fill + between + drain) / Double(2 * secondEnd)
      #expect(abs(try #require(run.result.metrics.pipelineBubbleShare) - share) < 1e-9)
    }
  }

  @Test func `a steady pipeline gives a micro-batch's tokens each time its slowest stage has worked`() throws {
    let deployment = try deployment()
    let (batch, output) = (8, 400)
    let requests = (0..<Self.stages * batch).map { _ in Request(at: 0, 1, output) }
    let run = try Run(requests, deployment, limits(sequences: requests.count))
    let middle = StepShape.decode(sequences: batch, context: output / 2, spans: deployment.graph.spans)
    let slowest = Double(try #require(times(middle, deployment).stages.max())) / 1e12
    let metrics = run.result.metrics
    let gap = try #require(metrics.interTokenLatency.mean).value
    #expect(abs(gap / (Double(Self.stages) * slowest) - 1) < 0.01)
    let rate = run.result.rate(metrics.outputTokens)
    #expect(abs(rate / (Double(batch) / slowest) - 1) < 0.03)
    // What stages wait is what the slowest takes longer than they do.
    let stages = try times(middle, deployment).stages
    let share = 1 - Double(stages.reduce(0, +)) / (Double(Self.stages) * slowest * 1e12)
    #expect(abs(try #require(metrics.pipelineBubbleShare) - share) < 0.02)
    #expect(metrics.steps == Self.stages * output)
    #expect(abs(run.result.meanBatch - Double(requests.count)) < 0.01 * Double(requests.count))
  }

  /// The closed form of static batches, which deals sequences out evenly too.
  @Test(arguments: [4, 32])
  func `a batch that is dealt out evenly decodes as fast as predicted`(sequences: Int) throws {
    let deployment = try Repository.deployment("llama-3-8b", on: "hgx-h100", Parallelism(pipeline: 4))
    let requests = (0..<sequences).map { _ in Request(at: 0, 512, 100) }
    var limits = ServingLimits(deployment, sequences: sequences)
    limits.microBatchSequences = sequences / 4
    let run = try Run(requests, deployment, limits)
    let prediction = try Predictor(deployment).predict(
      BatchCase(sequences: sequences, inputTokens: 512, outputTokens: 100))
    let replayed = try #require(run.result.metrics.interTokenLatency.percentile(50)).value
    #expect(abs(replayed / (try #require(prediction.tpot).value) - 1) < 0.03)
  }

  @Test func `the batch limit is dealt out to the micro-batches, or as it is set`() throws {
    let deployment = try deployment()
    let requests = (0..<40).map { _ in Request(at: 0, 10, 30) }
    func longest(_ limits: ServingLimits) throws -> Int {
      var engine = try ServingEngine(deployment, limits: limits)
      var source: any RequestSource = ListSource(requests)
      var most = 0
      _ = try engine.run(&source, observer: observer { most = max(most, $0.decodes) })
      return most
    }
    func observer(_ look: @escaping (StepReport) -> Void) -> ServingEngine.Observer {
      var observer = ServingEngine.Observer()
      observer.onStep = look
      return observer
    }
    #expect(try longest(limits(sequences: 18)) == 5)
    #expect(try longest(limits(sequences: 18, batch: 2)) == 2)
    #expect(try longest(limits(sequences: 18, batch: 100)) == 18)
  }

  @Test func `a prompt pool of stages gives first tokens after its stages, and takes the next prompt meanwhile`() throws
  {
    let deployment = try deployment(stages: 2)
    var (prefill, decode) = (ReplicaOptions(), ReplicaOptions())
    prefill.role = .prefill
    decode.role = .decode
    var plan = ClusterPlan(pools: [
      PoolPlan(name: "prompts", try ReplicaPlan(deployment, limits: limits(sequences: 2, batch: 1), options: prefill)),
      PoolPlan(name: "answers", try ReplicaPlan(deployment, limits: limits(sequences: 16), options: decode)),
    ])
    plan.transfers = TransferPlan(
      name: "wire", bandwidth: BytesPerSecond(1e12), latency: .zero, sharing: .fabric)
    let run = try ClusterRun(plan, (0..<5).map { _ in Request(at: 0, 200, 3) })
    let own = try times(prompt(200, deployment), deployment)
    let firsts = run.completed.sorted { $0.id < $1.id }.map(\.firstToken)
    // Two are on their way at once: the third enters when the first has left.
    var ends: [Int64] = []
    var (first, second): (Int64, Int64) = (0, 0)
    for index in 0..<5 {
      first = max(first, index >= 2 ? ends[index - 2] : 0) + own.stages[0]
      second = max(second, first + own.hop) + own.stages[1]
      ends.append(second)
    }
    #expect(ends[0] == own.stages.reduce(0, +) + own.hop)
    for (found, end) in zip(firsts, ends) { #expect(abs(found - end / 1000) <= 1) }
  }

  @Test(arguments: [0.4, 0.7])
  func `prompts wait for the first stage as in M/D/1`(load: Double) throws {
    let deployment = try constantStep(milliseconds: 1, stages: 3)
    var arrivals = ArrivalGenerator(.poisson(rate: load * 1000), seed: 11)
    let requests = (0..<20_000).map { _ in
      Request(arrival: arrivals.next() ?? .zero, inputTokens: 1, outputTokens: 1)
    }
    let run = try Run(
      requests, deployment,
      ServingLimits(maxBatchedTokens: 1, maxSequences: 3, maxModelLength: 100, blockSize: 16, blocks: 1000))
    let waits = run.completed.sorted { $0.id < $1.id }.map { Double($0.queueTime) / 1e6 }
    let means = (0..<20).map { waits[$0 * 1000..<($0 + 1) * 1000].reduce(0, +) / 1000 }
    let mean = means.reduce(0, +) / 20
    let error = (means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 19 / 20).squareRoot()
    #expect(abs(mean - load / (2 * (1 - load))) < 3.5 * error)
    #expect(abs(run.result.utilisation - load) < 0.03)
  }

  @Test func `requests that come one by one go into micro-batches of their own`() throws {
    let deployment = try deployment()
    let stage = Int(try times(prompt(1, deployment), deployment).stages[0] / 1000)
    let run = try Run(
      (0..<4).map { Request(at: $0 * (stage + 10), 1, 200) }, deployment, limits(sequences: 64))
    // Nobody waits for another's stages: the bubbles of one alone are filled.
    let alone = try Run([Request(at: 0, 1, 200)], deployment, limits(sequences: 64))
    let (all, one) = (try #require(run.result.metrics.endToEnd.mean), try #require(alone.result.metrics.endToEnd.mean))
    #expect(all.value < 1.3 * one.value)
    #expect(run.result.metrics.steps == 4 * 200)
  }

  @Test func `when blocks run out the request admitted first keeps its own`() throws {
    let deployment = try deployment()
    for blocks in [14, 20, 27, 40] {
      var limits = limits(sequences: 8, batch: 2)
      limits.blocks = blocks
      let run = try Run((0..<8).map { Request(at: $0, 60, 120) }, deployment, limits)
      #expect(run.completed.count == 8)
      #expect(run.completed.first { $0.id == 0 }?.preemptions == 0)
      #expect(run.result.preemptions > 0)
    }
  }

  @Test func `stages that wait draw power, and none draws more than its share of a cap`() throws {
    let deployment = try deployment()
    let requests = (0..<16).map { _ in Request(at: 0, 300, 50) }
    func energy(_ cap: Watts?) throws -> (energy: Joules, duration: Seconds) {
      let plan = try ReplicaPlan(deployment, limits: limits(sequences: 16), powerCap: cap)
      let run = try ClusterRun(ClusterPlan(plan), requests)
      return (run.result.energy, run.result.duration)
    }
    let free = try energy(nil)
    // A fifth of the board's 100 W is static.
    #expect(free.energy > Watts(4 * 20.0) * free.duration && free.energy < Watts(400.0) * free.duration)
    let capped = try energy(Watts(4 * 30.0))
    #expect(capped.energy <= Watts(4 * 30.0) * capped.duration * (1 + 1e-9) && capped.duration > free.duration)
  }
}
