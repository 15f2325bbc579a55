import EventKernel
import Execution
import Quantities
import ReferenceEngine
import Serving
import Statistics
import Workloads

/// One short trace through the real engine and through the simulator, under the same policy.
package struct ServeCheck {
  package struct Row: Sendable {
    package let measured: Times
    package let predicted: Times
  }

  package struct Times: Sendable {
    package var firstToken: Double
    package var perToken: Double?
    package var endToEnd: Double
  }

  package struct Outcome: Sendable {
    package let rows: [Row]
    /// Sequences that decode, over time, in the engine and in the simulator.
    package let measuredBatch: [(time: Double, size: Int)]
    package let predictedBatch: [(time: Double, size: Int)]

    package func errors(_ value: (Times) -> Double?) -> [Double] {
      rows.compactMap { row in
        guard let predicted = value(row.predicted), let measured = value(row.measured) else { return nil }
        return predicted / measured
      }
    }

    /// Means over the time both run of the number that decodes, and the mean absolute difference of the two.
    package var batches: (measured: Double, predicted: Double, difference: Double) {
      let end = min(measuredBatch.last?.time ?? 0, predictedBatch.last?.time ?? 0)
      let times = (0..<400).map { end * (Double($0) + 0.5) / 400 }
      let (a, b) = (times.map { Self.size(measuredBatch, at: $0) }, times.map { Self.size(predictedBatch, at: $0) })
      let count = Double(times.count)
      return (
        a.reduce(0, +) / count, b.reduce(0, +) / count, zip(a, b).reduce(0) { $0 + abs($1.0 - $1.1) } / count
      )
    }

    private static func size(_ line: [(time: Double, size: Int)], at time: Double) -> Double {
      Double(line.last { $0.time <= time }?.size ?? 0)
    }
  }

  package let deployment: Deployment

  package init(_ deployment: Deployment) { self.deployment = deployment }

  /// Poisson arrivals, prompts of 16 to 512 tokens and answers of 8 to 96, all from one seed.
  package static func requests(count: Int, rate: Double, vocabulary: Int, seed: UInt64) -> [EngineServer.Request] {
    var arrivals = RandomStream(seed: seed, name: "arrivals")
    var lengths = RandomStream(seed: seed, name: "lengths")
    var tokens = RandomStream(seed: seed, name: "tokens")
    var time = 0.0
    return (0..<count).map { _ in
      time += arrivals.exponential() / rate
      let prompt = Int(16 * PortableMath.exp(lengths.uniform() * PortableMath.log(32)))
      let outputs = 8 + Int(lengths.uniform() * 89)
      return EngineServer.Request(
        arrival: time, prompt: (0..<prompt).map { _ in Int32(tokens.bits() % UInt64(vocabulary)) }, outputs: outputs)
    }
  }

  package func run(_ engine: Engine, _ requests: [EngineServer.Request]) throws -> Outcome {
    let real = try EngineServer(engine).run(requests)
    let limits = ServingLimits(
      maxBatchedTokens: EngineServer.budget, maxSequences: EngineServer.mostSequences, maxModelLength: 8192,
      blockSize: 16, blocks: engine.cache.blocks)
    var source: any RequestSource = FixedRequests(
      requests.map {
        Workloads.Request(
          arrival: Instant(nanoseconds: Int64($0.arrival * 1e9)), inputTokens: $0.prompt.count, outputTokens: $0.outputs
        )
      })
    let log = ServeLog(requests.count)
    var observer = ServingEngine.Observer(onEnd: { log.note($0) })
    observer.onStep = { log.note($0) }
    var simulator = try ServingEngine(deployment, limits: limits)
    _ = try simulator.run(&source, observer: observer)
    let rows = requests.indices.map { index in
      Row(
        measured: Self.times(
          arrival: requests[index].arrival, first: real.records[index].firstToken, end: real.records[index].end,
          outputs: requests[index].outputs),
        predicted: Self.times(
          arrival: requests[index].arrival, first: log.first[index], end: log.end[index],
          outputs: requests[index].outputs))
    }
    return Outcome(
      rows: rows, measuredBatch: real.steps.map { ($0.start, $0.decodes) } + [(real.steps.last?.end ?? 0, 0)],
      predictedBatch: log.batch)
  }

  private static func times(arrival: Double, first: Double, end: Double, outputs: Int) -> Times {
    Times(
      firstToken: first - arrival, perToken: outputs > 1 ? (end - first) / Double(outputs - 1) : nil,
      endToEnd: end - arrival)
  }
}

/// What the simulator reports, in seconds.
private final class ServeLog {
  var first: [Double]
  var end: [Double]
  var batch: [(time: Double, size: Int)] = []

  init(_ count: Int) {
    first = Array(repeating: 0, count: count)
    end = first
  }

  func note(_ record: RequestRecord) {
    guard first.indices.contains(record.id) else { return }
    first[record.id] = Double(record.firstToken) * 1e-9
    end[record.id] = Double(record.completion) * 1e-9
  }

  func note(_ step: StepReport) {
    batch.append((Double(step.start) * 1e-9, step.decodes))
    batch.append((Double(step.end) * 1e-9, step.decodes))
  }
}

/// Requests that are all known beforehand.
private struct FixedRequests: RequestSource {
  private var rest: ArraySlice<Workloads.Request>
  let count: Int?

  init(_ requests: [Workloads.Request]) {
    rest = requests[...]
    count = requests.count
  }

  mutating func next() throws -> Workloads.Request? { rest.popFirst() }
}
