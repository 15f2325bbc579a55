import Foundation
import ModelGraph
import Quantities
import ReferenceEngine
import Statistics

/// One case measured: medians over rounds.
package struct HostSample: Sendable {
  package let shape: HostShape
  package let format: WeightFormat
  package let threads: Int
  package let step: HostStep
  /// A whole step.
  package let seconds: Double
  package internal(set) var operators: [Part]
  /// Half of the way from the lower to the upper quartile of the repeats, as a share of the median.
  package let noise: Double

  /// One operator of the step, with the time of all its calls.
  package struct Part: Sendable {
    package let name: String
    package let calls: Int
    package let seconds: Double
    /// As the step's.
    package let noise: Double
  }

  /// What random models of this format compute in.
  package var formats: Formats {
    Formats(
      weights: format.numbers, activations: format.activations, kv: .fp32, stream: .fp32, tables: format.numbers)
  }
}

/// Runs cases round by round, so that a disturbance hits a little of everything and medians pass it over.
package struct HostBench {
  package let threads: Int
  package let rounds: Int
  /// Told of each round.
  package var progress: (String) -> Void = { _ in }

  package init(threads: Int, rounds: Int) {
    self.threads = threads
    self.rounds = rounds
  }

  /// A model, and the memory it took.
  private final class Subject {
    let shape: HostShape
    let format: WeightFormat
    let engine: Engine
    let model: EngineModel
    var times: [HostStep: [Double]] = [:]
    var operators: [HostStep: [EngineOperator: [Double]]] = [:]
    var calls: [HostStep: [EngineOperator: Int]] = [:]

    init(_ shape: HostShape, _ format: WeightFormat, _ pool: WorkerPool, _ steps: [HostStep]) throws {
      self.shape = shape
      self.format = format
      model = try shape.model(format)
      engine = Engine(model, cacheBlocks: (steps.map(\.cached).max() ?? 0) / 16 + 2, pool: pool)
      engine.cache.fill(seed: 1)
      engine.reserve(steps.map(\.rows).max() ?? 1)
    }
  }

  /// Measures shapes in a format, all of them in turn, so that those that are fitted and those that are scored see the
  /// same machine.
  package func run(_ shapes: [HostShape], _ format: WeightFormat, steps: [HostStep]) throws -> [HostSample] {
    let pool = try WorkerPool(threads: threads)
    let subjects = try shapes.map { try Subject($0, format, pool, steps) }
    for round in 1...rounds {
      progress("\(format.rawValue), \(threads) thread\(threads == 1 ? "" : "s"), round \(round) of \(rounds)")
      for step in steps {
        for subject in subjects { try measure(step, subject) }
      }
    }
    return subjects.flatMap { subject in steps.compactMap { sample($0, subject) } }
  }

  /// Short steps are repeated within a round; the first one warms. Each round adds a repeat at least, a disturbed one
  /// where none was left alone: a case without times would be missing from the errors.
  private func measure(_ step: HostStep, _ subject: Subject) throws {
    var spent = 0.0
    var (runs, noted) = (0, 0)
    while runs < 2 || (spent < 0.08 && runs < 8) {
      let run = try run(step, subject)
      spent += run.wall
      runs += 1
      let isLong = run.wall >= 0.25
      if runs == 1, !isLong { continue }
      let isLast = isLong || runs == 8 || spent >= 0.08
      guard run.isUndisturbed || (isLast && noted == 0) else { continue }
      note(step, subject, seconds: run.seconds)
      noted += 1
      if isLong { return }
    }
  }

  /// One step, timed.
  private struct Run {
    let wall: Double
    /// What this thread ran.
    let thread: Double
    let isAlone: Bool

    /// Of one thread its own time, which other work on the machine is no part of.
    var seconds: Double { isAlone ? thread : wall }

    /// Whether the thread ran all the time: operators are timed by a clock that runs on while others do.
    var isUndisturbed: Bool { !isAlone || wall - thread < 0.01 * thread + 2e-6 }
  }

  private func run(_ step: HostStep, _ subject: Subject) throws -> Run {
    let sequences = try prepare(step, subject)
    subject.engine.meter.reset()
    let (thread, wall) = (EngineClock.thread.now, EngineClock.wall.now)
    _ = try subject.engine.step(sequences)
    let end = EngineClock.wall.now
    let run = Run(wall: end - wall, thread: EngineClock.thread.now - thread, isAlone: threads == 1)
    for chunk in sequences { subject.engine.cache.release(chunk.sequence) }
    return run
  }

  private func note(_ step: HostStep, _ subject: Subject, seconds: Double) {
    subject.times[step, default: []].append(seconds)
    for (kind, entry) in subject.engine.meter.used {
      subject.operators[step, default: [:]][kind, default: []].append(entry.seconds)
      subject.calls[step, default: [:]][kind] = entry.calls
    }
  }

  private func prepare(_ step: HostStep, _ subject: Subject) throws -> [Engine.Chunk] {
    let vocabulary = Int32(subject.shape.vocabulary)
    switch step {
    case .prefill(let tokens):
      return [Engine.Chunk(CachedSequence(), tokens: (0..<Int32(tokens)).map { $0 &* 7919 % vocabulary })]
    case .decode(let sequences, let context):
      return try (0..<sequences).map { index in
        let sequence = CachedSequence()
        try subject.engine.pretend(sequence, tokens: context - 1)
        return Engine.Chunk(sequence, tokens: [Int32(index) &* 31 % vocabulary])
      }
    }
  }

  private func sample(_ step: HostStep, _ subject: Subject) -> HostSample? {
    guard let times = subject.times[step], !times.isEmpty else { return nil }
    let operators = EngineOperator.allCases.compactMap { kind -> HostSample.Part? in
      guard let all = subject.operators[step]?[kind], let calls = subject.calls[step]?[kind] else { return nil }
      return HostSample.Part(
        name: kind.rawValue, calls: calls, seconds: Quantile.median(all), noise: Self.spread(all))
    }
    return HostSample(
      shape: subject.shape, format: subject.format, threads: threads, step: step, seconds: Quantile.median(times),
      operators: operators, noise: Self.spread(times))
  }

  private static func spread(_ times: [Double]) -> Double {
    (Quantile.value(times, at: 0.75) - Quantile.value(times, at: 0.25)) / 2 / Quantile.median(times)
  }
}
