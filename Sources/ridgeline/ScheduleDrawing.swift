import Documents
import Execution
import Reporting

/// One scheduled step as a Gantt chart, or as a file for Perfetto: one row a resource, the critical path on top.
struct ScheduleDrawing {
  let schedule: Schedule
  let title: String

  init(_ schedule: Schedule, title: String) {
    self.schedule = schedule
    self.title = title
  }

  func write(to path: String) throws {
    let file = try OutputFile(path: path)
    if path.hasSuffix(".svg") {
      try file.write(svg())
    } else {
      try writePerfetto(file)
    }
    try file.finish()
  }

  /// Tasks by the row they are drawn in: their engine, or what they are charged to.
  private var rows: [(name: String, tasks: [Int])] {
    let tasks = schedule.graph.tasks
    var byResource: [Int: [Int]] = [:]
    for index in tasks.indices where schedule.ends[index] > schedule.starts[index] {
      byResource[tasks[index].engine ?? tasks[index].charged, default: []].append(index)
    }
    return byResource.sorted { $0.key < $1.key }.map { (schedule.graph.resources[$0.key].name, $0.value) }
  }

  // MARK: Drawing

  /// Bars next to each other of one category are drawn as one when the step has more than a drawing can show.
  private static let mostBars = 800

  private func svg() -> String {
    let kinds = ScheduleTask.Category.allCases
    let used = kinds.filter { kind in schedule.graph.tasks.contains { $0.category == kind } }
    let path = Set(schedule.criticalPath)
    var lanes = [TimelineChart.Lane("critical path", spans(schedule.criticalPath, used))]
    for row in rows { lanes.append(TimelineChart.Lane(row.name, spans(row.tasks, used))) }
    let notes = [
      "The critical path is the chain of \(path.count) tasks, each begun when the one before it ended, that makes the "
        + "step as long as it is."
    ]
    return TimelineChart(
      ChartHeader(title, subtitle: "One step of \(schedule.time)"), kinds: used.map(\.rawValue), lanes: lanes,
      notes: notes
    ).svg()
  }

  private func spans(_ tasks: [Int], _ kinds: [ScheduleTask.Category]) -> [TimelineChart.Span] {
    var spans: [TimelineChart.Span] = []
    let merges = schedule.graph.tasks.count > Self.mostBars
    for index in tasks.sorted(by: { (schedule.starts[$0], $0) < (schedule.starts[$1], $1) }) {
      let task = schedule.graph.tasks[index]
      let kind = kinds.firstIndex(of: task.category) ?? 0
      let (start, end) = (Double(schedule.starts[index]) / 1e12, Double(schedule.ends[index]) / 1e12)
      if merges, let last = spans.last, last.kind == kind, start <= last.end {
        spans[spans.count - 1].end = max(end, last.end)
      } else {
        spans.append(TimelineChart.Span(start, end, name(task), kind: kind))
      }
    }
    return spans
  }

  private func name(_ task: ScheduleTask) -> String { task.layer < 0 ? task.name : "\(task.name) \(task.layer)" }

  // MARK: Perfetto

  private func writePerfetto(_ file: OutputFile) throws {
    var trace = PerfettoTrace { bytes in try file.write(String(decoding: bytes, as: UTF8.self)) }
    try trace.nameProcess(1, title)
    try lane("critical path", 1, schedule.criticalPath, &trace)
    for (row, item) in rows.enumerated() { try lane(item.name, row + 2, item.tasks, &trace) }
    for segment in schedule.power {
      try trace.counter("power", process: 1, at: segment.start / 1000, ["watts": .number(segment.power.value)])
    }
    try trace.finish()
  }

  private func lane(_ name: String, _ thread: Int, _ tasks: [Int], _ trace: inout PerfettoTrace) throws {
    let track = PerfettoTrace.Track(process: 1, thread: thread)
    try trace.nameThread(track, name)
    try trace.sortThread(track, at: thread)
    for index in tasks {
      let task = schedule.graph.tasks[index]
      // The trace's clock is nanoseconds.
      let (start, end) = (schedule.starts[index] / 1000, schedule.ends[index] / 1000)
      try trace.complete(
        self.name(task), on: track, from: start, lasting: end - start,
        ["category": .text(task.category.rawValue), "layer": .int(task.layer)])
    }
  }
}
