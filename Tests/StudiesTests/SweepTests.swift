import Documents
import EventKernel
import Store
import Testing

@testable import Studies

@Suite struct SweepTests {
  private func sweep(_ lines: String..., design: Sweep.Design = .grid) throws -> Sweep {
    let base = try YAMLDocument.parse(document([]), file: "test.yaml")
    return try Sweep(name: "s", title: "S", base: base, axes: lines.map { try SweepAxis.parse($0) }, design: design)
  }

  private func fault(_ lines: String..., design: Sweep.Design = .grid) -> String {
    do {
      let base = try YAMLDocument.parse(document([]), file: "test.yaml")
      _ = try Sweep(name: "s", title: "S", base: base, axes: lines.map { try SweepAxis.parse($0) }, design: design)
      return "no fault"
    } catch {
      return "\(error)"
    }
  }

  @Test func aGridTakesEveryCombinationOnce() throws {
    let grid = try sweep("replicas=1,2,3", "hardware=t4,l4", "traffic.rate_per_s=1..16:5:log")
    #expect(grid.count == 30)
    let points = (0..<30).map { grid.values(of: $0).map(\.found).joined(separator: " ") }
    #expect(Set(points).count == 30)
    #expect(points[0] == "1 't4' 1.0")
    let last = grid.values(of: 4)[2]
    #expect(last.found == "16.0")
    let document = try grid.document(of: 29)
    #expect(document.value(at: "replicas")?.found == "3")
    #expect(document.value(at: "traffic.rate_per_s")?.found == "16.0")
    #expect(document.value(at: "traffic.name")?.found == "'chat-short'")
  }

  @Test func logarithmicStepsHaveOneRatio() throws {
    let grid = try sweep("traffic.rate_per_s=1..16:5:log")
    let values = (0..<5).compactMap { grid.values(of: $0)[0].settingNumber }
    for (value, expected) in zip(values, [1.0, 2, 4, 8, 16]) { #expect(abs(value / expected - 1) < 1e-12) }
  }

  @Test(arguments: [1, 7, 100]) func aHypercubeHasOnePointInEachStratum(points: Int) throws {
    let sample = try sweep(
      "traffic.rate_per_s=0.5..10", "replicas=1..8:whole", design: .sample(points: points, seed: 3))
    #expect(sample.count == points)
    let rates = (0..<points).compactMap { sample.values(of: $0)[0].settingNumber }
    let strata = Set(rates.map { Int(($0 - 0.5) / 9.5 * Double(points)) })
    #expect(strata == Set(0..<points))
    #expect((0..<points).allSatisfy { (1...8).contains(sample.values(of: $0)[1].settingNumber ?? 0) })
  }

  @Test func quantitiesAreWrittenWithTheirUnit() throws {
    let grid = try sweep("power_cap=40..70W:4")
    #expect((0..<4).map { grid.values(of: $0)[0].found } == ["'40 W'", "'50 W'", "'60 W'", "'70 W'"])
  }

  @Test func faultsNameTheAxisAndWhatIsWrong() {
    #expect(fault().contains("the grid is empty"))
    #expect(fault("replica=1,2").contains("--vary replica=1,2: unknown key; did you mean 'replicas'?"))
    #expect(fault("replicas=0").contains("expected a whole number from 1"))
    #expect(fault("replicas=").contains("gives no value"))
    #expect(fault("replicas").contains("expected FIELD=VALUES"))
    #expect(fault("traffic.rate_per_s=5..1").contains("the lower end first"))
    #expect(fault("traffic.rate_per_s=0..1:log").contains("logarithmic scale"))
    #expect(fault("traffic.rate_per_s=1..2:x").contains("'x' is no number of steps"))
    #expect(fault("replicas=1,2", "replicas=3").contains("a second time"))
    #expect(fault("model.x=1").contains("is 'opt-125m' and no table"))
    #expect(fault("pools[0].replicas=1").contains("pools"))
    #expect(fault("a..b=1").contains("expected FROM..TO") || fault("a..b=1").contains("is no field"))
    #expect(fault("replicas=1..1000000:1000000", "traffic.rate_per_s=1..2:1000").contains("use a sample"))
  }

  @Test func shardsPartTheSweep() {
    let shards = (1...3).compactMap { Shard(index: $0, of: 3) }
    for point in 0..<50 { #expect(shards.count { $0.holds(point) } == 1) }
    #expect(Shard(index: 4, of: 3) == nil && Shard(index: 0, of: 3) == nil)
  }

  @Test func theUIDChangesWithWhatThePointsDependOn() throws {
    let origin = try RunOrigin(Shipped.library(), command: ["a"])
    let other = try RunOrigin(Shipped.library(), command: ["b"])
    let one = try sweep("replicas=1,2")
    #expect(try one.uid(origin) == sweep("replicas=1,2").uid(other))
    #expect(try one.uid(origin) != sweep("replicas=1,3").uid(origin))
    #expect(try one.uid(origin) != sweep("replicas=1,2", design: .sample(points: 2, seed: 1)).uid(origin))
  }
}

@Suite struct SweepRunTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func runner(stopping after: Int = .max) throws -> (SweepRunner, Counter) {
    let base = try YAMLDocument.parse(document(["horizon: {requests: 40}"]), file: "test.yaml")
    let axes = try ["traffic.rate_per_s=1..8:6", "parallelism.tensor=1,5"].map { try SweepAxis.parse($0) }
    let sweep = try Sweep(name: "s", title: "S", base: base, axes: axes, design: .grid)
    let library = try Shipped.library()
    let counter = Counter(after)
    let scenarios = ScenarioRunner(ScenarioBuilder(library: library)) { counter.goesOn() }
    return (
      SweepRunner(sweep, runner: scenarios, recorder: RunRecorder(try RunOrigin(library, command: ["test"]))), counter
    )
  }

  @Test func pointsThatCannotRunAreKeptWithTheReason() throws {
    let store = try Store(path: scratch.path + "/a.sqlite", .write)
    let tally = try runner().0.run(into: store, shard: .whole) { _, _ in }
    #expect(tally == SweepRunner.Tally(known: 0, done: 12, failed: 6))
    let points = try store.points(of: store.sweep(named: "s").id)
    for point in points {
      #expect((point.problem == nil) == (point.text("parallelism.tensor") == "1"))
      if let problem = point.problem { #expect(problem.contains("tensor parallelism 5")) }
    }
  }

  @Test func aStoppedSweepGoesOnWithNothingLostOrRepeated() throws {
    let whole = try Store(path: scratch.path + "/whole.sqlite", .write)
    _ = try runner().0.run(into: whole, shard: .whole) { _, _ in }
    let parts = try Store(path: scratch.path + "/parts.sqlite", .write)
    #expect(throws: RunStopped.self) { _ = try runner(stopping: 3).0.run(into: parts, shard: .whole) { _, _ in } }
    let first = try parts.sweep(named: "s").done
    #expect(first < 12)
    let tally = try runner().0.run(into: parts, shard: .whole) { _, _ in }
    #expect(tally.known == first && tally.done == 12 - first)
    #expect(try runner().0.run(into: parts, shard: .whole) { _, _ in } == SweepRunner.Tally(known: 12))
    let (a, b) = (try whole.points(of: 1), try parts.points(of: 1))
    #expect(a.map(\.metrics) == b.map(\.metrics) && a.map(\.settings) == b.map(\.settings))
  }

  @Test func shardsOfASweepMergeToTheWhole() throws {
    let whole = try Store(path: scratch.path + "/whole.sqlite", .write)
    _ = try runner().0.run(into: whole, shard: .whole) { _, _ in }
    let merged = try Store(path: scratch.path + "/merged.sqlite", .write)
    for index in 1...3 {
      let path = scratch.path + "/\(index).sqlite"
      do {
        let shard = try #require(Shard(index: index, of: 3))
        _ = try runner().0.run(into: try Store(path: path, .write), shard: shard) { _, _ in }
      }
      _ = try merged.merge(from: path)
    }
    #expect(try merged.points(of: 1).map(\.metrics) == whole.points(of: 1).map(\.metrics))
  }
}

/// Counts how often a run asks whether to go on.
final class Counter: @unchecked Sendable {
  private var left: Int

  init(_ left: Int) { self.left = left }

  func goesOn() -> Bool {
    left -= 1
    return left >= 0
  }
}

@Suite struct SweepFindingTests {
  private func point(_ index: Int, _ settings: [(String, Double)], _ metrics: [String: Double]) -> StoredPoint {
    StoredPoint(
      run: Int64(index), point: index, settings: settings.map { Setting(field: $0.0, value: "\($0.1)", number: $0.1) },
      metrics: metrics, problem: nil)
  }

  @Test func elasticitiesOfPowerLawsAreTheirExponents() {
    var stream = RandomStream(seed: 5, name: "laws")
    let points = (0..<40).map { index -> StoredPoint in
      let (a, b) = (1 + 9 * stream.uniform(), 1 + 9 * stream.uniform())
      return point(index, [("a", a), ("b", b)], ["y": 3 * a * a / b.squareRoot()])
    }
    let slopes = SweepFindings(points).slopes(of: "y")
    #expect(slopes.count == 2)
    #expect(abs(slopes[0].elasticity - 2) < 1e-9 && abs(slopes[1].elasticity + 0.5) < 1e-9)
    #expect(slopes.allSatisfy { $0.explained > 0.999999 })
  }

  @Test func noPointOfTheFrontIsBeatenAndEveryOtherIs() {
    var stream = RandomStream(seed: 6, name: "front")
    let points = (0..<200).map { point($0, [], ["x": stream.uniform(), "y": stream.uniform(), "z": stream.uniform()]) }
    let goals = [
      SweepGoal("x", lowerIsBetter: true), SweepGoal("y", lowerIsBetter: false), SweepGoal("z", lowerIsBetter: true),
    ]
    let findings = SweepFindings(points)
    let front = findings.front(goals)
    let kept = Set(front.map(\.point))
    func beats(_ a: StoredPoint, _ b: StoredPoint) -> Bool {
      let pairs = goals.map { ($0.score(a), $0.score(b)) }
      return pairs.allSatisfy { $0.0 <= $0.1 } && pairs.contains { $0.0 < $0.1 }
    }
    for candidate in points {
      #expect(points.contains { beats($0, candidate) } != kept.contains(candidate.point))
    }
    #expect(front.count > 1)
  }

  @Test func theBestMeetsTheConstraintsOrTheNearestIsNamed() throws {
    let points = [
      point(0, [], ["cost": 1, "wait": 3]), point(1, [], ["cost": 2, "wait": 1.5]),
      point(2, [], ["cost": 3, "wait": 1]),
    ]
    let findings = SweepFindings(points)
    let cheap = SweepGoal("cost", lowerIsBetter: true)
    let best = findings.best(cheap, subjectTo: [try #require(SweepConstraint("wait <= 2"))])
    #expect(best.point?.point == 1 && best.feasible == 2)
    let none = findings.best(cheap, subjectTo: [try #require(SweepConstraint("wait<=0.5"))])
    #expect(none.point == nil && none.nearest?.point.point == 2 && none.nearest?.excess == 1)
    #expect(SweepConstraint("wait=2") == nil && SweepConstraint("<=2") == nil && SweepConstraint("wait<=x") == nil)
  }
}
