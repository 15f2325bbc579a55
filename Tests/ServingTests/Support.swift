import EventKernel
import CostModels
import Execution
import ModelGraph
import TestSupport
import Workloads

@testable import Serving

/// Requests from an array.
struct ListSource: RequestSource {
  var requests: ArraySlice<Request>
  var classes: [RequestClass]

  init(_ requests: [Request], classes: [RequestClass] = [.standard]) {
    self.requests = requests[...]
    self.classes = classes
  }

  var count: Int? { requests.count }

  mutating func next() -> Request? { requests.popFirst() }
}

/// A run with everything it reported.
struct Run {
  var result: ServingResult
  /// In the order they ended.
  var records: [RequestRecord]

  var completed: [RequestRecord] { records.filter { $0.outcome == .completed } }

  init(
    _ requests: [Request], _ deployment: Deployment, _ limits: ServingLimits,
    shouldContinue: ((Int) -> Bool)? = nil
  ) throws {
    var engine = try ServingEngine(deployment, limits: limits)
    var source: any RequestSource = ListSource(requests)
    var records: [RequestRecord] = []
    result = try engine.run(
      &source, observer: .init(onEnd: { records.append($0) }, shouldContinue: shouldContinue))
    self.records = records
  }
}

extension Request {
  init(at nanoseconds: Int, _ input: Int, _ output: Int) {
    self.init(arrival: Instant(nanoseconds: Int64(nanoseconds)), inputTokens: input, outputTokens: output)
  }
}

extension RequestRecord {
  /// Everything in it, for comparison and messages.
  var line: String {
    "\(id) \(outcome) \(inputTokens)+\(outputTokens) arrived \(arrival) scheduled \(firstScheduled) "
      + "first \(firstToken) done \(completion) preempted \(preemptions)"
  }
}

/// A random small replay: limits so tight that requests are often preempted, bursts, ties, long and short requests.
struct Scenario: CustomStringConvertible {
  let seed: Int
  let clock: Clock
  let deployment: Deployment
  let limits: ServingLimits
  let requests: [Request]

  var stages: Int { deployment.parallelism.pipeline }

  /// What a step costs.
  enum Clock: CaseIterable {
    /// Exactly 1 ms, so that arrivals often coincide with the ends of steps.
    case even
    /// By the model's work.
    case priced
  }

  static let windows: [[Int?]] = [[nil], [7, nil], [3, 16, nil], [5]]

  /// By pipeline stages; with more than one, they have unlike numbers of layers.
  private static let deployments: [[Clock: [Result<Deployment, any Error>]]] = (1...3).map { stages in
    [
      .even: windows.map { windows in
        Result { try constantStep(milliseconds: 1, windows: windows, stages: stages) }
      },
      .priced: windows.map { windows in
        Result {
          try RoundDeployment.make(
            TinyModel.dense(layers: stages + 1, windows: windows),
            ["step_overhead": "10 us", "step_per_sequence": "1 us"],
            Parallelism(pipeline: stages))
        }
      },
    ]
  }

  init(seed: Int, stages: Int = 1) throws {
    self.seed = seed
    var random = RandomStream(seed: UInt64(seed), name: "scenario")
    clock = random.integer(below: 2) == 0 ? .even : .priced
    deployment = try Self.deployments[stages - 1][clock]![random.integer(below: Self.windows.count)].get()
    let blockSize = [1, 2, 3, 4, 8, 16, 64][random.integer(below: 7)]
    let sequences = 1 + random.integer(below: 8)
    let blocks = 2 + random.integer(below: max(4, 160 / blockSize))
    var limits = ServingLimits(
      maxBatchedTokens: sequences + random.integer(below: 40), maxSequences: sequences,
      maxModelLength: 20 + random.integer(below: 150), blockSize: blockSize, blocks: blocks,
      watermarkBlocks: random.integer(below: 3) == 0 ? 1 : 0, chunkedPrefill: random.integer(below: 4) > 0)
    var now = 0
    let unit = clock == .even ? 500_000 : 5_000
    let burstiness = random.integer(below: 4)
    requests = (0..<(1 + random.integer(below: 30))).map { _ in
      if random.integer(below: 4) >= burstiness { now += unit * random.integer(below: 12) }
      return Request(at: now, 1 + random.integer(below: 60), 1 + random.integer(below: 40))
    }
    // Budgets of the cache are windows of attention, too.
    if !deployment.graph.spans.isUniform, random.integer(below: 3) == 0 {
      limits.keptTokens = 1 + random.integer(below: 60)
    }
    if stages > 1, seed % 3 == 0 { limits.microBatchSequences = 1 + seed % limits.maxSequences }
    self.limits = limits
  }

  func run() throws -> Run { try Run(requests, deployment, limits) }

  var description: String { "seed \(seed): \(clock) \(limits) \(requests.count) requests" }
}

/// A deployment whose every step takes a whole number of milliseconds: the device's own time is far below 1 ns. With
/// stages, the first one takes it.
func constantStep(
  milliseconds: Int, windows: [Int?] = [nil], stages: Int = 1, runtime change: (inout RuntimeProfile) -> Void = { _ in }
) throws -> Deployment {
  var device = RoundDevice()
  device.compute = 1e22
  device.bandwidth = 1e21
  return try RoundDeployment.make(
    TinyModel.dense(layers: stages + 1, windows: windows), on: device, ["step_overhead": "\(milliseconds) ms"],
    Parallelism(pipeline: stages), runtime: change)
}
