import Foundation

@testable import Store

/// A folder for one test.
final class Scratch {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("store-" + UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }
}

let origin = Provenance(
  toolVersion: "1.2.3", dataHash: "0123456789abcdef", calibrations: [("first", "aa"), ("second", "bb")],
  host: "here", startedAt: "2026-01-02T03:04:05Z")

/// A run with a row in every table.
func record(_ uid: String, value: Double = 1.5, startedAt: String = origin.startedAt) -> RunRecord {
  var provenance = origin
  provenance.startedAt = startedAt
  var run = RunRecord(
    uid: uid, kind: "simulate", name: "run " + uid, headline: "it 'runs'", scenario: #"{"name": "x"}"#,
    command: "ridgeline simulate x", provenance: provenance)
  run.seed = 7
  run.elapsed = 0.25
  run.settings = [
    Setting(field: "hardware", value: "h100", number: nil), Setting(field: "rate", value: "4", number: 4),
  ]
  run.predictions = [StoredMetric("tpot_s", value, low: value / 2, high: value * 2), StoredMetric("usd", nil)]
  run.distributions = [DistributionPoint(metric: "ttft_s", share: 0.5, value: 0.1)]
  run.series = (0..<3).map { row(Double($0)) }
  run.operators = [
    OperatorRow(
      phase: "decode", name: "qkv", instances: 32, time: 1e-3, energy: 0.5, flops: 1e12, bytes: 1e9, bound: "memory",
      peak: 1e15)
  ]
  run.assumptions = [Assumption("price", "4 USD/h", source: "a list")]
  return run
}

func row(_ time: Double) -> SeriesRow {
  SeriesRow(
    time: time, waiting: Int(time), running: 3, occupancy: 0.5, replicasUp: 1, power: time > 0 ? 400 : nil,
    outputTokensPerSecond: nil)
}

func sweepRecord(_ uid: String, points: Int = 4) -> SweepRecord {
  SweepRecord(uid: uid, name: "grid", title: "A grid", document: "{}", points: points, provenance: origin)
}

/// What goes wrong, in words.
func fault(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "no fault"
  } catch {
    return "\(error)"
  }
}
