import CostModels
import Execution
import Serving

/// Replays of rows under given constants, each deployment's step prices computed once and each log replayed once.
struct ReplayBook {
  private var replays: [Int: ServedReplay] = [:]
  private var logs: [String: [RequestRecord]] = [:]

  /// What a row's run would have measured; nothing where the engine cannot replay it.
  mutating func predict(_ row: PreparedRun, _ served: ServedRun, _ deployment: Deployment) -> MetricValues {
    guard let replay = replay(row.slot, deployment) else { return MetricValues() }
    if let position = served.position {
      let log = log(row, served, replay)
      return position < log.count ? MetricValues(log[position]) : MetricValues()
    }
    guard let records = try? replay.records(served, row.run.batch) else { return MetricValues() }
    if case .burst = served.requests { return MetricValues(batchOf: records) }
    return MetricValues(meansOf: records)
  }

  private mutating func replay(_ slot: Int, _ deployment: Deployment) -> ServedReplay? {
    if let known = replays[slot] { return known }
    replays[slot] = try? ServedReplay(deployment)
    return replays[slot]
  }

  private mutating func log(_ row: PreparedRun, _ served: ServedRun, _ replay: ServedReplay) -> [RequestRecord] {
    let key = "\(row.slot) \(row.run.file)"
    if let known = logs[key] { return known }
    let records = (try? replay.records(served, row.run.batch)) ?? []
    logs[key] = records
    return records
  }
}
