import Execution
import Quantities
import Reporting
import Serving

/// The stable columns of a replay.
enum ServingTable {
  typealias Column = ResultTable.Column
  typealias Cell = ResultTable.Cell

  /// The latencies reported, by column prefix and heading.
  private static func latencies(_ metrics: ServingMetrics) -> [(name: String, heading: String, LatencyDistribution)] {
    [
      ("queue", "queue time", metrics.queueTime), ("ttft", "TTFT", metrics.timeToFirstToken),
      ("tpot", "TPOT", metrics.timePerOutputToken), ("itl", "ITL", metrics.interTokenLatency),
      ("e2e", "end to end", metrics.endToEnd),
    ]
  }

  private static let statistics: [(name: String, @Sendable (LatencyDistribution) -> Seconds?)] = [
    ("mean", { $0.mean }), ("p50", { $0.percentile(50) }), ("p90", { $0.percentile(90) }),
    ("p95", { $0.percentile(95) }), ("p99", { $0.percentile(99) }), ("max", { $0.maximum }),
  ]

  /// One row with everything, for machines.
  static func summary(_ result: ServingResult, _ deployment: Deployment, traffic: String) -> ResultTable {
    let facts = facts(result, deployment, traffic: traffic)
    var columns = facts.map(\.0)
    var cells = facts.map(\.1)
    for (name, _, distribution) in latencies(result.metrics) {
      columns.append(Column("\(name)_count"))
      cells.append(.int(distribution.count))
      for (statistic, value) in statistics {
        columns.append(Column("\(name)_\(statistic)_s", style: .time))
        cells.append(Cell(value(distribution)))
      }
    }
    var table = ResultTable(columns: columns)
    table.append(cells)
    return table
  }

  /// The same for people: facts on a card, latencies as a table.
  static func text(_ result: ServingResult, _ deployment: Deployment, traffic: String) -> String {
    let facts = facts(result, deployment, traffic: traffic)
    var card = ResultTable(columns: facts.map(\.0))
    card.append(facts.map(\.1))
    let columns =
      [Column("latency"), Column("count", style: .count)] + statistics.map { Column($0.name, style: .time) }
    var table = ResultTable(columns: columns)
    for (_, heading, distribution) in latencies(result.metrics) {
      table.append([.text(heading), .int(distribution.count)] + statistics.map { Cell($0.1(distribution)) })
    }
    return TableRenderer.card(card) + "\n" + TableRenderer.rows(table)
  }

  private static func facts(
    _ result: ServingResult, _ deployment: Deployment, traffic: String
  ) -> [(Column, Cell)] {
    let metrics = result.metrics
    let tokens = Double(max(1, metrics.outputTokens))
    let price = deployment.price(of: result.duration)
    return [
      (Column("model"), .text(deployment.model.name)), (Column("hardware"), .text(deployment.platform.name)),
      (Column("devices"), .int(deployment.parallelism.devices)), (Column("runtime"), .text(deployment.runtime.name)),
      (Column("traffic"), .text(traffic)), (Column("requests", style: .count), .int(result.arrived)),
      (Column("completed", style: .count), .int(metrics.completed)),
      (Column("rejected", style: .count), .int(metrics.rejected)),
      (Column("unfinished", style: .count), .int(metrics.unfinished)),
      (Column("duration_s", heading: "duration", style: .time), Cell(result.duration)),
      (Column("requests_per_s", heading: "requests served", style: .rate), .number(result.rate(metrics.completed))),
      (Column("input_tokens_per_s", heading: "prompt tokens", style: .rate), .number(result.rate(metrics.inputTokens))),
      (
        Column("output_tokens_per_s", heading: "output tokens", style: .rate),
        .number(result.rate(metrics.outputTokens))
      ),
      (Column("utilisation", heading: "utilisation", style: .percent), .number(result.utilisation)),
      (Column("steps", style: .count), .int(metrics.steps)),
      (Column("mean_batch", heading: "mean batch"), .number(result.meanBatch)),
      (Column("peak_waiting", heading: "longest line", style: .count), .int(metrics.peakWaiting)),
      (
        Column("kv_blocks", heading: "KV blocks", style: .count),
        result.blocks < Int(Int32.max) ? .int(result.blocks) : .missing
      ),
      (Column("kv_occupancy_mean", heading: "KV occupancy, mean", style: .percent), .number(result.meanOccupancy)),
      (Column("kv_occupancy_peak", heading: "KV occupancy, peak", style: .percent), .number(result.peakOccupancy)),
      (Column("preemptions", style: .count), .int(result.preemptions)),
      (Column("energy_j", heading: "energy", style: .energy), Cell(result.energy)),
      (
        Column("energy_per_output_token_j", heading: "energy per output token", style: .energy),
        .number(result.energy.value / tokens)
      ),
      (
        Column("power_w", heading: "mean power, all devices", style: .power),
        result.duration > .zero ? Cell(result.energy / result.duration) : .missing
      ),
      (
        Column("usd_per_million_output_tokens", heading: "price per 1M output tokens", style: .money),
        Cell(price.map { $0.value / tokens * 1e6 })
      ),
    ]
  }
}
