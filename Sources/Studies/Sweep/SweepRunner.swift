import Documents
import Execution
import Foundation
import Serving
import Store

/// Runs the points of a sweep on all cores into a store, and goes on where an earlier run stopped.
package struct SweepRunner: Sendable {
  package let sweep: Sweep
  package let recorder: RunRecorder
  private let runner: ScenarioRunner

  package init(_ sweep: Sweep, runner: ScenarioRunner, recorder: RunRecorder) {
    self.sweep = sweep
    self.runner = runner
    self.recorder = recorder
  }

  /// What a run of a sweep did.
  package struct Tally: Sendable, Equatable {
    /// Points that were in the store already.
    package var known = 0
    package var done = 0
    /// Of those done, points that no run is possible for.
    package var failed = 0
  }

  /// The sweep as a store knows it.
  package var record: SweepRecord {
    SweepRecord(
      uid: sweep.uid(recorder.origin), name: sweep.name, title: sweep.title, document: sweep.document.json,
      points: sweep.count, provenance: recorder.origin.provenance([]))
  }

  /// Runs the points of a shard that are not in the store yet. Every point is written once, whenever it is stopped.
  /// - Parameter progress: Called with the number of points that are done, known ones included, and all there are.
  /// - Throws: ``RunStopped`` when told to stop, `DataError` for faulty files and for a store that cannot be written; what
  ///   was done is in the store.
  package func run(into store: Store, shard: Shard, progress: (Int, Int) -> Void) throws -> Tally {
    let id = try store.sweep(record)
    let known = try store.pointsDone(of: id)
    let mine = (0..<sweep.count).filter(shard.holds)
    let open = mine.filter { !known.contains($0) }
    var tally = Tally(known: mine.count - open.count)
    var batch = SweepBatch(store, sweep: id)
    progress(tally.known, mine.count)
    do {
      try ParallelWork.forEach(open.count) {
        try record(point: open[$0])
      } finished: { index, record in
        try batch.add(record, point: open[index])
        tally.done += 1
        if record.problem != nil { tally.failed += 1 }
        progress(tally.known + tally.done, mine.count)
      }
    } catch {
      try batch.flush()
      throw error
    }
    try batch.flush()
    return tally
  }

  /// - Throws: What no other point could mend: a faulty file, or a stop.
  private func record(point: Int) throws -> RunRecord {
    try runner.checkStop()
    let start = ContinuousClock.now
    let document = try sweep.document(of: point)
    var record: RunRecord
    do {
      record = try outcome(SweepPoint(document: document))
    } catch let error where Self.isOfPoint(error) {
      record = failed(document, "\(error)")
    }
    var print = Fingerprint(sweep.uid(recorder.origin))
    print.add("\(point)")
    record.uid = print.text
    record.name = sweep.name
    record.settings = zip(sweep.axes, sweep.values(of: point)).map { axis, value in
      Setting(field: axis.field, value: value.settingText, number: value.settingNumber)
    }
    record.elapsed = (ContinuousClock.now - start).seconds
    return record
  }

  private func outcome(_ point: SweepPoint) throws -> RunRecord {
    if let batch = point.batch {
      let deployment = try runner.builder.deployment(point.scenario, plan: point.plan)
      let tokens = batch.inputTokens + batch.outputTokens
      if !point.anyLength, let limit = deployment.model.contextLimit, tokens > limit {
        throw PredictionError.contextTooLong(tokens: tokens, limit: limit, model: deployment.model.name)
      }
      let prediction = try Predictor(deployment).predict(batch)
      return recorder.prediction(point.scenario, deployment, batch, prediction, isDetailed: false)
    }
    let plan = try runner.builder.cluster(point.scenario)
    let run = try runner.run(point.scenario)
    return recorder.replay(point.scenario, plan, run, isDetailed: false)
  }

  private func failed(_ document: Node, _ problem: String) -> RunRecord {
    var record = RunRecord(
      uid: "", kind: sweep.isPrediction ? "predict" : "simulate", name: sweep.name, headline: "no result: " + problem,
      scenario: document.json, command: recorder.origin.command, provenance: recorder.origin.provenance([]))
    record.problem = problem
    return record
  }

  /// Whether an error says that this point cannot run, and not that something is wrong with all of them.
  private static func isOfPoint(_ error: any Error) -> Bool {
    !(error is RunStopped || error is DataError || error is UnknownName)
  }
}

/// Points that wait to be written together: at most a fifth of a second's, so that a kill repeats little.
private struct SweepBatch {
  private let store: Store
  private let sweep: Int64
  private var records: [RunRecord] = []
  private var points: [Int] = []
  private var written = ContinuousClock.now

  init(_ store: Store, sweep: Int64) {
    self.store = store
    self.sweep = sweep
  }

  mutating func add(_ record: RunRecord, point: Int) throws {
    records.append(record)
    points.append(point)
    if records.count >= 512 || ContinuousClock.now - written > .milliseconds(200) { try flush() }
  }

  mutating func flush() throws {
    guard !records.isEmpty else { return }
    try store.add(records, sweep: sweep, points: points)
    records.removeAll(keepingCapacity: true)
    points.removeAll(keepingCapacity: true)
    written = ContinuousClock.now
  }
}

/// One part of a sweep's points, for several machines that share nothing.
package struct Shard: Sendable, Equatable {
  /// From 1.
  package let index: Int
  package let count: Int

  package static let whole = Shard(index: 1, count: 1)

  /// - Returns: Nothing for a part that is none.
  package init?(index: Int, of count: Int) {
    guard count >= 1, (1...count).contains(index) else { return nil }
    self.init(index: index, count: count)
  }

  private init(index: Int, count: Int) {
    self.index = index
    self.count = count
  }

  package func holds(_ point: Int) -> Bool { point % count == index - 1 }
}

extension Node {
  /// A setting as text.
  var settingText: String {
    switch value {
    case .string(let text): text
    case .int, .double, .bool: found
    default: json
    }
  }

  /// A setting as a number, without its unit; nothing for what is none.
  var settingNumber: Double? {
    switch value {
    case .int(let number): Double(number)
    case .double(let number): number
    case .string(let text): text.split(separator: " ").count == 2 ? Double(text.prefix { $0 != " " }) : nil
    default: nil
    }
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
