import Foundation
import GRDB
import Testing

@testable import Store

@Suite struct StoreTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test func aRunComesBackAsItWent() throws {
    let path = scratch.file("a.sqlite")
    let id = try Store(path: path, .write).add([record("u1")])[0]
    let store = try Store(path: path, .read)
    let run = try store.run(String(id))
    #expect(run.uid == "u1" && run.seed == 7 && run.elapsed == 0.25 && run.problem == nil)
    #expect(run.calibrations == #"{"first": "aa", "second": "bb"}"#)
    let sent = record("u1")
    #expect(try store.metrics(of: id) == sent.predictions)
    #expect(try store.settings(of: id) == sent.settings)
    #expect(try store.distributions(of: id) == sent.distributions)
    #expect(try store.series(of: id) == sent.series)
    #expect(try store.operators(of: id) == sent.operators)
    #expect(try store.assumptions(of: id) == sent.assumptions)
  }

  @Test func aPointIsStoredOnceHoweverOftenItIsWritten() throws {
    let store = try Store(path: scratch.file("a.sqlite"), .write)
    let sweep = try store.sweep(sweepRecord("s"))
    #expect(try store.sweep(sweepRecord("s")) == sweep)
    try store.add([record("a"), record("b")], sweep: sweep, points: [0, 1])
    try store.add([record("c", value: 9), record("d")], sweep: sweep, points: [1, 2])
    #expect(try store.pointsDone(of: sweep) == [0, 1, 2])
    #expect(try store.points(of: sweep).map { $0.metrics["tpot_s"] } == [1.5, 1.5, 1.5])
    #expect(try store.sweep(named: "grid").done == 3)
  }

  @Test func numbersThatAreNotFiniteAreLeftEmpty() throws {
    let store = try Store(path: scratch.file("a.sqlite"), .write)
    var run = record("a")
    run.predictions = [StoredMetric("x", .nan, low: .infinity)]
    let id = try store.add([run])[0]
    #expect(try store.metrics(of: id) == [StoredMetric("x", nil)])
  }

  @Test func shardsMergeIntoOneSweepAndMergingTwiceChangesNothing() throws {
    for (name, points) in [("1", [0, 2]), ("2", [1, 3]), ("3", [3])] {
      let store = try Store(path: scratch.file(name), .write)
      let sweep = try store.sweep(sweepRecord("s"))
      try store.add(points.map { record("p\($0)", value: Double($0)) }, sweep: sweep, points: points)
    }
    let all = try Store(path: scratch.file("all"), .write)
    try all.add([record("alone")])
    #expect(try all.merge(from: scratch.file("1")) == Store.Merge(sweeps: 1, runs: 2, known: 0))
    #expect(try all.merge(from: scratch.file("2")) == Store.Merge(sweeps: 0, runs: 2, known: 0))
    #expect(try all.merge(from: scratch.file("3")) == Store.Merge(sweeps: 0, runs: 0, known: 1))
    #expect(try all.merge(from: scratch.file("1")) == Store.Merge(sweeps: 0, runs: 0, known: 2))
    let points = try all.points(of: all.sweep(named: "grid").id)
    #expect(points.map(\.point) == [0, 1, 2, 3] && points.map { $0.metrics["tpot_s"] } == [0, 1, 2, 3])
    #expect(try all.series(of: points[3].run).count == 3)
    #expect(fault { _ = try all.merge(from: scratch.file("all")) }.contains("is the store to merge into"))
  }

  @Test func pruningRemovesWhatItSaysAndItsRows() throws {
    let store = try Store(path: scratch.file("a.sqlite"), .write)
    try store.add([record("old", startedAt: "2020-01-01T00:00:00Z"), record("new")])
    let sweep = try store.sweep(sweepRecord("s"))
    try store.add([record("p")], sweep: sweep, points: [0])
    var pruning = Store.Pruning()
    pruning.before = "2021-01-01"
    #expect(try store.prune(pruning, isTrial: true) == 1)
    #expect(try store.runs().count == 2)
    #expect(try store.prune(pruning, isTrial: false) == 1)
    #expect(try store.runs().map(\.uid) == ["new"])
    pruning = Store.Pruning()
    pruning.sweeps = [sweep]
    #expect(try store.prune(pruning, isTrial: false) == 1)
    #expect(try store.sweeps().isEmpty)
    for (table, _) in Schema.details {
      let rows = try store.answer("SELECT count(DISTINCT run_id) FROM \(table)").rows
      #expect(rows == [[.int(1)]], "\(table)")
    }
  }

  @Test func questionsInSQLAreAnsweredAndChangesRefused() throws {
    let store = try Store(path: scratch.file("a.sqlite"), .write)
    try store.add([record("a"), record("b", value: 2)])
    let table = try store.answer(
      "SELECT uid, value, uid FROM runs JOIN predictions ON id = run_id WHERE metric = 'tpot_s'")
    #expect(table.columns.map(\.name) == ["uid", "value", "uid_2"])
    #expect(table.rows == [[.text("a"), .number(1.5), .text("a")], [.text("b"), .number(2), .text("b")]])
    #expect(fault { _ = try store.answer("DELETE FROM runs") }.contains("would change it"))
    #expect(fault { _ = try store.answer("SELECT wages FROM runs") }.contains("no such column: wages"))
    #expect(fault { _ = try store.answer("SELECT 1; SELECT 2") }.contains("ultiple statements"))
    #expect(try store.runs().count == 2)
  }

  @Test func aDifferenceTellsOriginsAndNumbers() throws {
    let store = try Store(path: scratch.file("a.sqlite"), .write)
    var other = record("b", value: 3)
    other.provenance.toolVersion = "2.0.0"
    other.name = "run a"
    try store.add([record("a"), other])
    let difference = try RunDifference(store.run("1"), store.run("2"), in: store)
    #expect(difference.origins.map(\.what) == ["tool version"])
    #expect(difference.table.rows[0] == [.text("tpot_s"), .number(1.5), .number(3), .number(1.5), .number(1)])
  }

  @Test func readersReadWhileAWriterIsInTheMiddleOfABatch() throws {
    let path = scratch.file("a.sqlite")
    let writer = try Store(path: path, .write)
    let id = try writer.add([record("a")])[0]
    let reader = try Store(path: path, .read)
    try writer.write { db in
      try db.execute(sql: "DELETE FROM series")
      #expect(try reader.series(of: id).count == 3)
    }
    #expect(try reader.series(of: id).isEmpty)
  }
}

@Suite struct StoreFaultTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test func aStoreOfANewerVersionIsRefusedAndLeftAlone() throws {
    let path = scratch.file("a.sqlite")
    try Store(path: path, .write).write { db in
      try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('99 the future')")
    }
    for access in [Store.Access.read, .write] {
      #expect(fault { _ = try Store(path: path, access) }.contains("newer version of Ridgeline"))
    }
  }

  @Test func aFileThatIsNoStoreIsRefusedAndLeftAlone() throws {
    let path = scratch.file("notes.txt")
    let text = Data(String(repeating: "these are my notes\n", count: 500).utf8)
    try text.write(to: URL(fileURLWithPath: path))
    for access in [Store.Access.read, .write] {
      #expect(fault { _ = try Store(path: path, access) }.contains("is damaged or no store at all"))
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == text)
    let other = scratch.file("other.sqlite")
    try DatabaseQueue(path: other).write { try $0.execute(sql: "CREATE TABLE mine (x)") }
    #expect(fault { _ = try Store(path: other, .write) }.contains("is a database, but no Ridgeline store"))
  }

  @Test func aDamagedStoreIsFoundOut() throws {
    let path = scratch.file("a.sqlite")
    do {
      let store = try Store(path: path, .write)
      try store.add((0..<200).map { record("r\($0)") })
    }
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for index in 8192..<min(bytes.count, 120_000) { bytes[index] = UInt8(truncatingIfNeeded: index &* 31) }
    try bytes.write(to: URL(fileURLWithPath: path))
    let store = try Store(path: path, .read)
    let message = fault { _ = try store.runs() }
    let isSound = (try? store.faults().isEmpty) ?? false
    #expect(message.contains("is damaged") || !isSound)
  }

  @Test func aFullDiskKeepsWhatWasWrittenAndSaysSo() throws {
    let path = scratch.file("a.sqlite")
    let store = try Store(path: path, .write, largest: 60)
    let id = try store.add([record("a")])[0]
    var written = 3
    let message = fault {
      while true {
        try store.append((0..<500).map { row(Double(written + $0 + 1)) }, to: id)
        written += 500
      }
    }
    #expect(message.contains("cannot grow (is the disk full?)"))
    #expect(try store.series(of: id).count == written)
    #expect(try store.faults().isEmpty)
  }

  @Test func aMissingStoreIsNotMadeByReading() throws {
    let path = scratch.file("none.sqlite")
    #expect(fault { _ = try Store(path: path, .read) }.contains("no such store"))
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func aPlaceThatCannotBeWrittenIsNamed() {
    #expect(fault { _ = try Store(path: "/proc/ridgeline.sqlite", .write) }.contains("cannot be opened or written"))
    #expect(fault { _ = try Store(path: scratch.path, .write) }.contains("is a folder"))
    #expect(fault { _ = try Store(path: "", .write) }.contains("is empty"))
  }

  @Test func aStoreWithoutALogIsReadWhereNothingCanBeWritten() throws {
    let path = scratch.file("a ?.sqlite")
    do { try Store(path: path, .write).add([record("a")]) }
    #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
    #expect(try Store(path: path, .read).runs().map(\.uid) == ["a"])
  }
}
