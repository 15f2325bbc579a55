import Documents
import Quantities
import Reporting
import Serving
import Studies
import Workloads

/// The files that a replay writes as it goes on.
struct ReplayFiles {
  private let requests: RequestFile?
  private let series: SeriesFile?
  private let timeline: TimelineFile?
  private let paths: [String]
  private let interval: Seconds
  /// Gathers what a store keeps; nothing when none does.
  private var collector: RunCollector?

  /// - Parameters:
  ///   - requests: Path of the per-request file.
  ///   - classes: Those of the traffic.
  /// - Throws: ``UsageError`` for options, `DataError` for files that cannot be written.
  init(
    requests: String?, _ options: MeasureOptions, classes: [RequestClass], measuring measurement: MeasurementOptions
  ) throws {
    interval = try options.sampleInterval()
    let window = try options.timelineRange()
    paths = [requests, options.series, options.timeline].compactMap { $0 }
    guard Set(paths).count == paths.count else {
      throw UsageError("--requests, --series and --timeline need a file each")
    }
    self.requests = try requests.map { try RequestFile(path: $0, classes: classes, measuring: measurement) }
    series = try options.series.map { try SeriesFile(path: $0) }
    timeline = try options.timeline.map { try TimelineFile(path: $0, window: window, classes: classes) }
  }

  /// The same files, with a collector beside them.
  func observed(by collector: RunCollector?) -> ReplayFiles {
    var copy = self
    copy.collector = collector
    return copy
  }

  func observer(shouldContinue: @escaping (Int) -> Bool) -> ServingEngine.Observer {
    var observer = ServingEngine.Observer(shouldContinue: shouldContinue)
    if requests != nil || timeline != nil || collector != nil {
      observer.onEnd = { [requests, timeline, collector] record in
        collector?.add(record)
        try requests?.write(record)
        try timeline?.write(record)
      }
    }
    observer.onStep = timeline.map { timeline in { step in try timeline.write(step) } }
    if series != nil || collector != nil {
      observer.onSample = { [series, collector] sample in
        collector?.add(sample)
        try series?.write(sample)
      }
    }
    observer.sampleInterval = interval
    return observer
  }

  /// Makes the files appear.
  func finish() throws {
    try requests?.finish()
    try series?.finish()
    try timeline?.finish()
    if timeline?.isCut == true {
      standardError(
        "Note: the timeline ends at \(groupedDigits(TimelineFile.mostEvents)) events; --timeline-window chooses others")
    }
  }

  /// Refuses to replace what is read.
  static func refuse(_ options: MeasureOptions, replacing input: String?) throws {
    for path in [options.series, options.timeline] { try OutputFile.refuse(path, replacing: input) }
  }
}

/// What a reader of the summary must know.
enum ReplayNotes {
  static func saturation(_ result: ServingResult) -> String? {
    let saturation = result.metrics.saturation
    guard saturation.verdict == .saturated else { return nil }
    func rounded(_ value: Double) -> String { ResultTable.Cell.number(value).text(style: .rate) }
    return
      "saturated: \(rounded(saturation.arrivalsPerSecond)) requests came and \(rounded(saturation.completionsPerSecond)) "
      + "left, so that ever more were in the system; latencies grow with the length of the run"
  }
}
