import CostModels
import Quantities

/// When each task of a step ran, and what follows from that.
package struct Schedule: Sendable {
  package let graph: TaskGraph
  /// Picoseconds from the beginning of the step, by task.
  package private(set) var starts: [Int64]
  package private(set) var ends: [Int64]
  /// The task whose end let each one start; -1 for none.
  private var causes: [Int]
  private var readyAt: [Int64]
  private var lastReady: Int64 = 0
  /// Length of the step, in picoseconds.
  package private(set) var length: Int64 = 0
  /// Time each resource had something to do, in picoseconds, and what of it was used up.
  package private(set) var busy: [Int64]
  package private(set) var used: [Double]
  /// Power of all components over time.
  package private(set) var power: [PowerSegment] = []

  package struct PowerSegment: Sendable, Equatable {
    package var start: Int64
    package var end: Int64
    package var power: Watts
  }

  init(_ graph: TaskGraph) {
    self.graph = graph
    starts = [Int64](repeating: 0, count: graph.tasks.count)
    ends = starts
    readyAt = starts
    causes = [Int](repeating: -1, count: graph.tasks.count)
    busy = [Int64](repeating: 0, count: graph.resources.count)
    used = [Double](repeating: 0, count: graph.resources.count)
  }

  package var time: Seconds { Seconds(Double(length) / 1e12) }

  /// Whether the step takes longer than the clock can count.
  package var isBeyondClock: Bool { length >= StepScheduler.clockEnd }

  // MARK: What the scheduler notes

  mutating func note(cause: Int, of task: Int) {
    causes[task] = cause
    readyAt[task] = cause < 0 ? 0 : ends[cause]
  }

  func wasReadyNow(_ task: Int, at now: Int64) -> Bool { readyAt[task] == now }
  func cause(of task: Int) -> Int { causes[task] }

  mutating func start(_ task: Int, at now: Int64, cause: Int) {
    starts[task] = now
    causes[task] = cause
  }

  mutating func end(_ task: Int, at now: Int64) { ends[task] = now }

  mutating func close(at now: Int64) { length = now }

  /// Books a stretch of time in which speeds do not change. A speed of 0 is a latency: its engine is held.
  mutating func account(_ tasks: [(task: Int, speed: Double)], from start: Int64, to end: Int64) {
    guard end > start else { return }
    let seconds = Double(end - start) / 1e12
    var watts = graph.components.reduce(0) { $0 + $1.standing.value }
    var working: Set<Int> = []
    for (index, speed) in tasks {
      let task = graph.tasks[index]
      if let engine = task.engine { working.insert(engine) }
      guard speed > 0, task.duration > .zero else { continue }
      watts += task.spent.value / task.duration.value * speed
      for demand in task.demands where demand.amount > 0 {
        working.insert(demand.resource)
        used[demand.resource] += demand.amount / task.duration.value * speed * seconds
      }
    }
    for resource in working { busy[resource] += end - start }
    append(PowerSegment(start: start, end: end, power: Watts(watts)))
  }

  private mutating func append(_ segment: PowerSegment) {
    if let last = power.last, last.power == segment.power {
      power[power.count - 1].end = segment.end
    } else {
      power.append(segment)
    }
  }

  // MARK: Energy

  /// Energy of each component: its standing power over the step and what its tasks spend above it.
  package var energyByComponent: [Joules] {
    var energy = graph.components.map { $0.standing * time }
    for task in graph.tasks {
      energy[task.component] += task.energy
      for share in task.besides { energy[share.component] += share.energy }
    }
    return energy
  }

  package var energy: Joules { energyByComponent.reduce(.zero, +) }

  /// The same from the other side: power summed over time.
  package var integralOfPower: Joules {
    power.sum { $0.power * Seconds(Double($0.end - $0.start) / 1e12) }
  }

  package var peakPower: Watts { power.map(\.power).max() ?? graph.components.sum(\.standing) }

  // MARK: What decides the length

  /// The chain of tasks, first to last, each of which began when the one before it ended; together they fill the step.
  package var criticalPath: [Int] {
    guard var current = ends.indices.max(by: { (ends[$0], $1) < (ends[$1], $0) }) else { return [] }
    var path = [current]
    while causes[current] >= 0 {
      current = causes[current]
      path.append(current)
    }
    return path.reversed()
  }

  /// How long each resource was at work, and how much of it the step waited for.
  package var usage: [ResourceUsage] {
    var exposed = [Int64](repeating: 0, count: graph.resources.count)
    for task in criticalPath { exposed[graph.tasks[task].charged] += ends[task] - starts[task] }
    return graph.resources.indices.map { index in
      let resource = graph.resources[index]
      // A resource that tasks are charged to without using it is busy for as long as they are.
      let busy = max(self.busy[index], exposed[index])
      return ResourceUsage(
        name: resource.name, kind: resource.kind, busy: Self.seconds(busy), exposed: Self.seconds(exposed[index]),
        moved: resource.capacity == nil ? nil : Bytes(used[index]),
        utilisation: length > 0 ? resource.capacity.map { used[index] / ($0 * time.value) } ?? busy / length : 0)
    }
  }

  /// Time by what bounds the tasks of the critical path.
  package var timeByBound: TimeByBound {
    var times = TimeByBound()
    for task in criticalPath { times[graph.tasks[task].bound] += Self.seconds(ends[task] - starts[task]) }
    return times
  }

  private static func seconds(_ picoseconds: Int64) -> Seconds { Seconds(Double(picoseconds) / 1e12) }
}

/// What a step asks of one resource.
package struct ResourceUsage: Sendable, Equatable {
  package var name: String
  package var kind: ScheduleResource.Kind
  /// Time with something to do.
  package var busy: Seconds
  /// The part on the critical path: all resources' exposed times add up to the step.
  package var exposed: Seconds
  /// Bytes that went through, where it is a rate.
  package var moved: Bytes?
  /// Share of what it could have done.
  package var utilisation: Double

  /// Work behind something else.
  package var overlapped: Seconds { busy - exposed }
}

private func / (a: Int64, b: Int64) -> Double { Double(a) / Double(b) }
