import Quantities

/// Runs the tasks of one step over the resources of a platform, event by event.
///
/// An engine takes the waiting task with the lowest number; rates are shared max-min fairly and change when a task
/// begins or ends. The clock counts whole picoseconds, as step prices do; ends are rounded up. No chance, no dependence
/// on the order of dictionaries: the same tasks give the same schedule.
package struct StepScheduler {
  private let graph: TaskGraph
  private var waitsFor: [Int]
  private var followers: [[Int]]
  private var sharing: RateSharing
  /// Ready tasks of each engine, ascending, and whether it is at work.
  private var queues: [[Int]]
  private var holders: [Int]
  private var active: [Active] = []
  private var now: Int64 = 0
  private var schedule: Schedule

  /// A task that runs: first its latency, then its work.
  private struct Active {
    var task: Int
    /// Work left at full speed, in picoseconds, at `since`; nothing while the latency lasts.
    var left: Double?
    var speed: Double
    var since: Int64
    var end: Int64
  }

  /// - Throws: ``ScheduleError`` when tasks wait for each other in a circle, or name what is not there.
  package static func run(_ graph: TaskGraph) throws(ScheduleError) -> Schedule {
    try check(graph)
    return runChecked(graph)
  }

  /// The same for tasks whose maker lets them wait only for earlier ones and gives every resource a rate.
  static func runChecked(_ graph: TaskGraph) -> Schedule {
    var scheduler = StepScheduler(graph)
    scheduler.runToEnd()
    return scheduler.schedule
  }

  private init(_ graph: TaskGraph) {
    self.graph = graph
    waitsFor = graph.tasks.map(\.after.count)
    followers = [[Int]](repeating: [], count: graph.tasks.count)
    for (index, task) in graph.tasks.enumerated() {
      for earlier in task.after { followers[earlier].append(index) }
    }
    let limits = graph.components.map { component in component.cap.map { ($0 - component.standing).value } ?? .infinity
    }
    sharing = RateSharing(capacity: graph.resources.map { $0.capacity ?? .infinity } + limits)
    queues = [[Int]](repeating: [], count: graph.resources.count)
    holders = [Int](repeating: -1, count: graph.resources.count)
    schedule = Schedule(graph)
  }

  private mutating func runToEnd() {
    for index in graph.tasks.indices where waitsFor[index] == 0 { ready(index, cause: -1) }
    startEngines(cause: -1)
    share()
    while let next = active.map(\.end).min() {
      schedule.account(active.map { ($0.task, $0.left == nil ? 0 : $0.speed) }, from: now, to: next)
      now = next
      advance()
      share()
    }
    schedule.close(at: now)
  }

  /// Ends latencies and tasks that are due.
  private mutating func advance() {
    let due = active.indices.filter { active[$0].end == now }
    var ended: [Int] = []
    for index in due {
      if active[index].left == nil {
        beginWork(&active[index])
        if active[index].end > now { continue }
      }
      ended.append(active[index].task)
    }
    guard !ended.isEmpty else { return }
    active.removeAll { $0.end == now && ended.contains($0.task) }
    for task in ended.sorted() { end(task) }
  }

  private mutating func end(_ index: Int) {
    schedule.end(index, at: now)
    if let engine = graph.tasks[index].engine { holders[engine] = -1 }
    for follower in followers[index] {
      waitsFor[follower] -= 1
      if waitsFor[follower] == 0 { ready(follower, cause: index) }
    }
    startEngines(cause: index)
  }

  private mutating func ready(_ index: Int, cause: Int) {
    guard let engine = graph.tasks[index].engine else {
      start(index, cause: cause)
      return
    }
    let place = queues[engine].firstIndex { $0 > index } ?? queues[engine].endIndex
    queues[engine].insert(index, at: place)
    schedule.note(cause: cause, of: index)
  }

  /// Idle engines take their first waiting task. One that was ready before waited for the engine's last task.
  private mutating func startEngines(cause: Int) {
    for engine in queues.indices where holders[engine] < 0 && !queues[engine].isEmpty {
      let index = queues[engine].removeFirst()
      holders[engine] = index
      let wasFree = schedule.wasReadyNow(index, at: now)
      start(index, cause: wasFree ? schedule.cause(of: index) : cause)
    }
  }

  private mutating func start(_ index: Int, cause: Int) {
    schedule.start(index, at: now, cause: cause)
    let task = graph.tasks[index]
    let latency = Self.picoseconds(task.latency)
    var item = Active(task: index, left: nil, speed: 1, since: now, end: later(by: latency))
    if latency == 0 { beginWork(&item) }
    active.append(item)
  }

  private func beginWork(_ item: inout Active) {
    let left = graph.tasks[item.task].duration.value * 1e12
    item.left = left
    item.speed = 1
    item.since = now
    item.end = later(by: Self.rounded(left))
  }

  /// Sets the speeds of all tasks at work, and with them their ends.
  private mutating func share() {
    var working: [Int] = []
    var flows: [RateSharing.Flow] = []
    for index in active.indices where active[index].left != nil {
      guard let flow = flow(of: active[index].task) else { continue }
      working.append(index)
      flows.append(flow)
    }
    guard !flows.isEmpty else { return }
    let speeds = sharing.speeds(of: flows)
    for (index, speed) in zip(working, speeds) where speed != active[index].speed {
      let item = active[index]
      let left = max(0, (item.left ?? 0) - item.speed * Double(now - item.since))
      active[index].left = left
      active[index].speed = speed
      active[index].since = now
      active[index].end = later(by: Self.rounded(left / speed))
    }
  }

  /// What a task takes at full speed; nothing when it shares nothing.
  private func flow(of index: Int) -> RateSharing.Flow? {
    let task = graph.tasks[index]
    let time = task.duration.value
    guard time > 0 else { return nil }
    var demands = task.demands.map { ResourceDemand($0.resource, $0.amount / time) }
    if graph.components[task.component].cap != nil, task.energy > .zero {
      demands.append(ResourceDemand(graph.resources.count + task.component, task.energy.value / time))
    }
    guard let rate = demands.map(\.amount).first(where: { $0 > 0 }) else { return nil }
    return RateSharing.Flow(rate: rate, demands: demands)
  }

  /// The end of the clock, 46 days; what would take longer ends there, and whoever asked is told.
  package static let clockEnd: Int64 = 4_000_000_000_000_000_000

  private func later(by picoseconds: Int64) -> Int64 { min(Self.clockEnd, now + min(picoseconds, Self.clockEnd - now)) }

  /// Rounded up, after what floating point adds to whole numbers is taken off.
  private static func rounded(_ picoseconds: Double) -> Int64 {
    Int64(min(4e18, max(0, (picoseconds - 1e-3).rounded(.up))))
  }

  private static func picoseconds(_ time: Seconds) -> Int64 { Int64(min(4e18, (time.value * 1e12).rounded())) }

  // MARK: Checks

  private static func check(_ graph: TaskGraph) throws(ScheduleError) {
    for task in graph.tasks {
      let resources = task.demands.map(\.resource) + [task.charged] + [task.engine].compactMap { $0 }
      guard resources.allSatisfy(graph.resources.indices.contains) else {
        throw .unknown(task: task.name, what: "a resource")
      }
      guard task.after.allSatisfy(graph.tasks.indices.contains) else { throw .unknown(task: task.name, what: "a task") }
      guard graph.components.indices.contains(task.component) else {
        throw .unknown(task: task.name, what: "a component")
      }
      guard task.besides.allSatisfy({ graph.components.indices.contains($0.component) }) else {
        throw .unknown(task: task.name, what: "a component")
      }
      for demand in task.demands where demand.amount > 0 {
        let resource = graph.resources[demand.resource]
        guard (resource.capacity ?? .infinity) > 0 else { throw .unworkable(task: task.name, resource: resource.name) }
      }
    }
    try refuseCycles(graph.tasks)
  }

  /// Kahn's algorithm; what is left over lies on circles or behind them.
  private static func refuseCycles(_ tasks: [ScheduleTask]) throws(ScheduleError) {
    guard tasks.enumerated().contains(where: { index, task in task.after.contains { $0 >= index } }) else { return }
    var waits = tasks.map(\.after.count)
    var followers = [[Int]](repeating: [], count: tasks.count)
    for (index, task) in tasks.enumerated() { for earlier in task.after { followers[earlier].append(index) } }
    var free = tasks.indices.filter { waits[$0] == 0 }
    while let next = free.popLast() {
      for follower in followers[next] {
        waits[follower] -= 1
        if waits[follower] == 0 { free.append(follower) }
      }
    }
    guard let start = waits.firstIndex(where: { $0 > 0 }) else { return }
    throw .cycle(tasks: circle(tasks, from: start, waits))
  }

  /// Follows waits backwards from a task that never becomes ready until one comes again.
  private static func circle(_ tasks: [ScheduleTask], from start: Int, _ waits: [Int]) -> [String] {
    var seen: [Int] = []
    var current = start
    while !seen.contains(current) {
      seen.append(current)
      guard let next = tasks[current].after.first(where: { waits[$0] > 0 }) else { break }
      current = next
    }
    let first = seen.firstIndex(of: current) ?? 0
    return (seen[first...].reversed() + [seen[seen.count - 1]]).map { tasks[$0].name }
  }
}
