import EventKernel
import Execution
import Quantities
import TestSupport
import Testing

@Suite struct ScheduleTests {
  private static let link = 0
  private static let engine = 1
  private static let copier = 2

  /// A link of 100 B/s, two engines, and one component of 50 W.
  private func graph(cap: Watts? = nil) -> TaskGraph {
    TaskGraph(
      resources: [
        .shared("link", .link, BytesPerSecond(100)), .engine("engine", .compute), .engine("copier", .copy),
      ],
      components: [ScheduleComponent(name: "box", standing: Watts(50), cap: cap)])
  }

  private func transfer(_ bytes: Double, limit: Double = 100, after: [Int] = []) -> ScheduleTask {
    ScheduleTask(
      "transfer", .weightCopy, duration: Seconds(bytes / limit), demands: [ResourceDemand(Self.link, bytes)],
      after: after, charged: Self.link)
  }

  private func work(_ seconds: Double, after: [Int] = [], energy: Double = 0) -> ScheduleTask {
    ScheduleTask(
      "work", .product, engine: Self.engine, duration: Seconds(seconds), after: after, energy: Joules(energy),
      charged: Self.engine)
  }

  @Test func transfersShareALinkFairly() throws {
    var graph = graph()
    graph.add(transfer(100))
    graph.add(transfer(300))
    let schedule = try StepScheduler.run(graph)
    // Both at 50 B/s until the first has its 100 B, then the other's 200 B at 100 B/s.
    #expect(schedule.ends == [2_000_000_000_000, 4_000_000_000_000])
  }

  @Test func whatOneTransferCannotUseGoesToTheOther() throws {
    var graph = graph()
    graph.add(transfer(20, limit: 20))
    graph.add(transfer(160))
    let schedule = try StepScheduler.run(graph)
    // 20 B/s leave 80: after 1 s the first is done and 80 B are left for 100 B/s.
    #expect(schedule.ends == [1_000_000_000_000, 1_800_000_000_000])
  }

  @Test func anEngineTakesOneTaskAtATimeInTheirOrder() throws {
    var graph = graph()
    graph.add(work(1))
    graph.add(work(2))
    graph.add(work(3, after: [0]))
    let schedule = try StepScheduler.run(graph)
    #expect(schedule.starts == [0, 1_000_000_000_000, 3_000_000_000_000])
  }

  /// n units through a pair of buffers: the first copy and the last computation are exposed, the slower of both decides
  /// in between.
  @Test(arguments: [(2.0, 1.0), (1.0, 2.0), (1.0, 1.0)]) func doubleBuffersFollowTheirClosedForm(
    copy: Double, compute: Double
  ) throws {
    var graph = graph()
    let units = 7
    var done: [Int] = []
    for unit in 0..<units {
      let free = unit >= 2 ? [done[unit - 2]] : []
      let fetch = graph.add(
        ScheduleTask(
          "fetch", .weightCopy, engine: Self.copier, duration: Seconds(copy), after: free, charged: Self.copier))
      done.append(graph.add(work(compute, after: [fetch])))
    }
    let time = try StepScheduler.run(graph).time.value
    #expect(near(time, copy + Double(units - 1) * max(copy, compute) + compute))
  }

  @Test func aPowerLimitStretchesWork() throws {
    var graph = graph(cap: Watts(100))
    graph.add(work(1, energy: 100))
    let schedule = try StepScheduler.run(graph)
    // 100 J above the standing 50 W fit under 100 W in 2 s.
    #expect(schedule.length == 2_000_000_000_000)
    #expect(near(schedule.energy.value, 50 * 2 + 100))
    #expect(schedule.peakPower <= Watts(100.0001))
  }

  @Test func latencyHoldsAnEngineButNoRate() throws {
    var graph = graph()
    var slow = transfer(100)
    slow.latency = Seconds(1)
    graph.add(slow)
    graph.add(transfer(100))
    let schedule = try StepScheduler.run(graph)
    #expect(schedule.ends == [2_000_000_000_000, 1_000_000_000_000])
  }

  // MARK: What holds for all schedules

  /// Random tasks that wait for some of those before them.
  private func randomGraph(seed: UInt64) -> TaskGraph {
    var stream = RandomStream(seed: seed, name: "schedule-tests")
    var graph = graph(cap: seed % 2 == 0 ? Watts(120) : nil)
    for index in 0..<60 {
      let after = (0..<stream.integer(below: 3)).compactMap { _ in index > 0 ? stream.integer(below: index) : nil }
      let seconds = stream.uniform() * 3
      if stream.uniform() < 0.5 {
        graph.add(work(seconds, after: after, energy: seconds * 150 * stream.uniform()))
      } else {
        var task = transfer(seconds * 100 * stream.uniform(), limit: 20 + 80 * stream.uniform(), after: after)
        task.latency = Seconds(stream.uniform() * 0.1)
        if stream.uniform() < 0.5 { task.engine = Self.copier }
        graph.add(task)
      }
    }
    return graph
  }

  @Test(arguments: UInt64(1)...30) func energyIsTheIntegralOfPower(seed: UInt64) throws {
    let schedule = try StepScheduler.run(randomGraph(seed: seed))
    #expect(near(schedule.energy.value, schedule.integralOfPower.value, within: 1e-6))
    if seed % 2 == 0 { #expect(schedule.peakPower <= Watts(120.001)) }
  }

  @Test(arguments: UInt64(1)...30) func exposedTimesAddUpToTheStep(seed: UInt64) throws {
    let schedule = try StepScheduler.run(randomGraph(seed: seed))
    #expect(near(schedule.usage.sum(\.exposed).value, schedule.time.value))
    for usage in schedule.usage {
      #expect(usage.utilisation <= 1 + 1e-9)
      #expect(usage.overlapped >= Seconds(-1e-12))
    }
  }

  @Test(arguments: UInt64(1)...30) func nothingBeginsBeforeWhatItWaitsFor(seed: UInt64) throws {
    let graph = randomGraph(seed: seed)
    let schedule = try StepScheduler.run(graph)
    for (index, task) in graph.tasks.enumerated() {
      for earlier in task.after { #expect(schedule.starts[index] >= schedule.ends[earlier]) }
      let alone = (task.latency + task.duration).value * 1e12
      #expect(Double(schedule.ends[index] - schedule.starts[index]) >= alone - 2)
    }
    let again = try StepScheduler.run(graph)
    #expect(schedule.ends == again.ends)
  }

  @Test func whatATransferSpendsInItsLinksIsToldByItself() throws {
    var graph = TaskGraph(
      resources: [.shared("wire", .link, BytesPerSecond(100))],
      components: [
        ScheduleComponent(name: "box", standing: Watts(10)), ScheduleComponent(name: "wire", standing: .zero),
      ])
    graph.add(
      ScheduleTask(
        "copy", .cacheCopy, duration: Seconds(2), demands: [ResourceDemand(0, 200)],
        besides: [EnergyShare(1, Joules(6))], charged: 0))
    let schedule = try StepScheduler.run(graph)
    #expect(schedule.energyByComponent == [Joules(20), Joules(6)])
    #expect(near(schedule.integralOfPower.value, 26))
    graph.add(ScheduleTask("lost", .other, duration: Seconds(1), besides: [EnergyShare(7, Joules(1))], charged: 0))
    let error = #expect(throws: ScheduleError.self) { try StepScheduler.run(graph) }
    #expect(error?.description == "task 'lost' names a component that does not exist")
  }

  @Test func whatTakesLongerThanTheClockEndsWithItAndIsSeen() throws {
    var graph = graph()
    graph.add(ScheduleTask("for ever", .other, duration: Seconds(1e12), charged: 0))
    graph.add(ScheduleTask("later", .other, latency: Seconds(1e12), duration: Seconds(5), after: [0], charged: 0))
    let schedule = try StepScheduler.run(graph)
    #expect(schedule.isBeyondClock)
    #expect(schedule.time.value == 4e6)
  }

  // MARK: Faults

  @Test func tasksThatWaitForEachOtherAreNamed() throws {
    var graph = graph()
    graph.add(ScheduleTask("a", .other, duration: Seconds(1), after: [1], charged: 0))
    graph.add(ScheduleTask("b", .other, duration: Seconds(1), after: [0], charged: 0))
    graph.add(ScheduleTask("c", .other, duration: Seconds(1), after: [1], charged: 0))
    let error = #expect(throws: ScheduleError.self) { try StepScheduler.run(graph) }
    #expect(error?.description.contains("a -> b") == true || error?.description.contains("b -> a") == true)
  }

  @Test func whatIsNotThereIsNamed() {
    var graph = graph()
    graph.add(ScheduleTask("lost", .other, duration: Seconds(1), charged: 9))
    let error = #expect(throws: ScheduleError.self) { try StepScheduler.run(graph) }
    #expect(error?.description == "task 'lost' names a resource that does not exist")
    var dead = TaskGraph(
      resources: [.shared("wire", .link, BytesPerSecond(0))],
      components: [ScheduleComponent(name: "box", standing: .zero)])
    dead.add(ScheduleTask("copy", .other, duration: Seconds(1), demands: [ResourceDemand(0, 1)], charged: 0))
    #expect(throws: ScheduleError.unworkable(task: "copy", resource: "wire")) { try StepScheduler.run(dead) }
  }
}
