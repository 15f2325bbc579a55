import Execution
import Quantities
import Reporting
import Serving
import Statistics
import Workloads

/// The stable columns of a replay: a row for all requests, and where there are several classes, one for each.
enum ServingTable {
  typealias Column = ResultTable.Column
  typealias Cell = ResultTable.Cell
  typealias Fact = (column: Column, cell: Cell)

  private static let statistics: [(name: String, @Sendable (LatencyDistribution) -> Seconds?)] = [
    ("mean", { $0.mean }), ("p50", { $0.percentile(50) }), ("p90", { $0.percentile(90) }),
    ("p95", { $0.percentile(95) }), ("p99", { $0.percentile(99) }), ("max", { $0.maximum }),
  ]

  // MARK: For machines

  static func summary(_ result: ServingResult, _ deployment: Deployment, traffic: String) -> ResultTable {
    let all = facts(result, deployment, traffic: traffic) + latencyFacts(result.metrics)
    var table = ResultTable(columns: all.map(\.column))
    table.append(all.map(\.cell))
    for index in result.metrics.classes.indices {
      let facts = plan(result, deployment, traffic: traffic) + classFacts(result, index)
      let cells = Dictionary(facts.map { ($0.column.name, $0.cell) }) { first, _ in first }
      table.append(table.columns.map { cells[$0.name] ?? .missing })
    }
    return table
  }

  private static func latencyFacts(_ metrics: ServingMetrics) -> [Fact] {
    let intervals = metrics.intervals
    return latencyFacts("queue", metrics.queueTime) + intervalFacts("queue", intervals.queueTime)
      + latencyFacts("ttft", metrics.timeToFirstToken) + intervalFacts("ttft", intervals.timeToFirstToken)
      + latencyFacts("tpot", metrics.timePerOutputToken) + intervalFacts("tpot", intervals.timePerOutputToken)
      + latencyFacts("itl", metrics.interTokenLatency)
      + latencyFacts("e2e", metrics.endToEnd) + intervalFacts("e2e", intervals.endToEnd)
  }

  private static func latencyFacts(_ name: String, _ distribution: LatencyDistribution) -> [Fact] {
    [(Column("\(name)_count"), .int(distribution.count))]
      + statistics.map { statistic, value in
        (Column("\(name)_\(statistic)_s", style: .time), Cell(value(distribution)))
      }
  }

  /// Where the steady state's mean and percentiles lie.
  private static func intervalFacts(_ name: String, _ batches: BatchQuantile) -> [Fact] {
    let confidence = MeasurementOptions.confidence
    let mean = batches.mean(confidence: confidence)
    let intervals =
      [("mean", mean?.interval)]
      + [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)].map { ($0, batches.quantile($1, confidence: confidence)) }
    return intervals.flatMap { statistic, interval in
      [
        (Column("\(name)_\(statistic)_s_lo", style: .time), Cell(interval.map { max(0, $0.range.lowerBound) })),
        (Column("\(name)_\(statistic)_s_hi", style: .time), Cell(interval?.range.upperBound)),
      ]
    } + [(Column("\(name)_warm_up_requests", style: .count), Cell(mean?.warmUp))]
  }

  // MARK: For people

  static func text(_ result: ServingResult, _ deployment: Deployment, traffic: String) -> String {
    let facts = facts(result, deployment, traffic: traffic).filter { isWorthAWord($0) }
    var card = ResultTable(columns: facts.map(\.column))
    card.append(facts.map(\.cell))
    var text = TableRenderer.card(card) + "\n" + TableRenderer.rows(latencyTable(result.metrics))
    if !result.metrics.classes.isEmpty { text += "\n" + TableRenderer.rows(classTable(result)) }
    if let tenants = result.metrics.tenants { text += "\n" + TableRenderer.rows(tenantTable(tenants)) }
    return text
  }

  /// People are spared what there is none of.
  private static func isWorthAWord(_ fact: Fact) -> Bool {
    let rare = [
      "timed_out", "cancelled", "failed", "swaps_out", "swaps_in", "adapter_loads", "prefix_hit_rate", "replica_starts",
      "replica_stops", "replica_failures", "role_flips", "retries", "transfers", "transferred_b",
    ]
    if fact.column.name == "class" || fact.cell == .missing { return false }
    return !(rare.contains(fact.column.name) && (fact.cell == .int(0) || fact.cell == .number(0)))
  }

  private static func latencyTable(_ metrics: ServingMetrics) -> ResultTable {
    let columns =
      [Column("latency"), Column("count", style: .count)] + statistics.map { Column($0.name, style: .time) }
      + [Column("steady mean, 95 % interval")]
    var table = ResultTable(columns: columns)
    let rows: [(String, LatencyDistribution, BatchQuantile?)] = [
      ("queue time", metrics.queueTime, metrics.intervals.queueTime),
      ("TTFT", metrics.timeToFirstToken, metrics.intervals.timeToFirstToken),
      ("TPOT", metrics.timePerOutputToken, metrics.intervals.timePerOutputToken),
      ("ITL", metrics.interTokenLatency, nil), ("end to end", metrics.endToEnd, metrics.intervals.endToEnd),
    ]
    for (heading, distribution, batches) in rows {
      let interval = batches?.mean(confidence: MeasurementOptions.confidence)?.interval
      table.append(
        [.text(heading), .int(distribution.count)] + statistics.map { Cell($0.1(distribution)) }
          + [Cell(interval.map(text))])
    }
    return table
  }

  private static func text(_ interval: Interval) -> String {
    "\(Seconds(max(0, interval.range.lowerBound))) to \(Seconds(interval.range.upperBound))"
  }

  private static func classTable(_ result: ServingResult) -> ResultTable {
    let wanted = [
      "class", "requests", "completed", "objectives_met", "ttft_p50_s", "ttft_p99_s", "tpot_p50_s", "tpot_p99_s",
      "e2e_p50_s", "e2e_p99_s",
    ]
    let rows = result.metrics.classes.indices.map { classFacts(result, $0) }
    var table = ResultTable(
      columns: wanted.compactMap { name in rows.first?.first { $0.column.name == name }?.column })
    for row in rows { table.append(wanted.compactMap { name in row.first { $0.column.name == name }?.cell }) }
    return table
  }

  private static func tenantTable(_ service: TenantService) -> ResultTable {
    var table = ResultTable(columns: [
      Column("tenant"), Column("weight"), Column("tokens asked", style: .count), Column("tokens served", style: .count),
    ])
    for tenant in service.tenants {
      table.append([.text(tenant.name), .number(tenant.weight), .int(tenant.demand), .int(tenant.service)])
    }
    return table
  }

  // MARK: Facts

  private static func plan(_ result: ServingResult, _ deployment: Deployment, traffic: String) -> [Fact] {
    [
      (Column("model"), .text(deployment.model.name)), (Column("hardware"), .text(deployment.platform.name)),
      (Column("devices"), .int(deployment.parallelism.devices)), (Column("runtime"), .text(deployment.runtime.name)),
      (Column("traffic"), .text(traffic)),
    ]
  }

  private static func facts(_ result: ServingResult, _ deployment: Deployment, traffic: String) -> [Fact] {
    plan(result, deployment, traffic: traffic) + [(Column("class"), .text("all")), (Column("tenant"), .missing)]
      + outcomeFacts(result.metrics.outcomes)
      + [
        (Column("duration_s", heading: "duration", style: .time), Cell(result.duration)),
        (Column("saturated"), saturation(result)),
      ] + rateFacts(result, result.metrics.completed, result.metrics.inputTokens, result.metrics.outputTokens)
      + goodputFacts(result, result.metrics.objectives, result.metrics.objectivesByClass)
      + batchFacts(result) + clusterFacts(result.cluster) + cacheFacts(result) + fairnessFacts(result.metrics.tenants)
      + fluidityFacts(result.metrics.fluidity) + energyFacts(result)
  }

  private static func outcomeFacts(_ counts: OutcomeCounts) -> [Fact] {
    [
      (Column("requests", style: .count), .int(counts.all)),
      (Column("completed", style: .count), .int(counts.completed)),
      (Column("rejected", style: .count), .int(counts.rejected)),
      (Column("timed_out", heading: "timed out", style: .count), .int(counts.timedOut)),
      (Column("cancelled", style: .count), .int(counts.cancelled)),
      (Column("failed", style: .count), .int(counts.failed)),
      (Column("unfinished", style: .count), .int(counts.unfinished)),
    ]
  }

  private static func saturation(_ result: ServingResult) -> Cell {
    switch result.metrics.saturation.verdict {
    case .saturated: .text("yes")
    case .stable: .text("no")
    case .undecided: .missing
    }
  }

  private static func rateFacts(_ result: ServingResult, _ completed: Int, _ input: Int, _ output: Int) -> [Fact] {
    [
      (Column("requests_per_s", heading: "requests served", style: .rate), .number(result.rate(completed))),
      (Column("input_tokens_per_s", heading: "prompt tokens", style: .rate), .number(result.rate(input))),
      (Column("output_tokens_per_s", heading: "output tokens", style: .rate), .number(result.rate(output))),
    ]
  }

  private static func goodputFacts(_ result: ServingResult, _ counts: ObjectiveCounts, _ objectives: [Objective])
    -> [Fact]
  {
    let isAsked = objectives.contains { !$0.isEmpty }
    let seconds = result.metrics.measuredDuration(end: result.end).value
    func rate(_ count: Int) -> Cell { isAsked && seconds > 0 ? .number(Double(count) / seconds) : .missing }
    func share(_ count: Int, of latency: (Objective) -> Int64?) -> Cell {
      objectives.contains { latency($0) != nil } ? Cell(counts.share(count)) : .missing
    }
    return [
      (Column("goodput_requests_per_s", heading: "requests that met objectives", style: .rate), rate(counts.good)),
      (
        Column("goodput_output_tokens_per_s", heading: "output tokens of these", style: .rate),
        rate(counts.goodTokens)
      ),
      (
        Column("objectives_met", heading: "met all objectives", style: .percent),
        isAsked ? Cell(counts.share(counts.good)) : .missing
      ),
      (
        Column("ttft_met", heading: "met TTFT", style: .percent),
        share(counts.metTimeToFirstToken) { $0.timeToFirstToken }
      ),
      (
        Column("tpot_met", heading: "met TPOT", style: .percent),
        share(counts.metTimePerOutputToken) { $0.timePerOutputToken }
      ),
      (Column("e2e_met", heading: "met end to end", style: .percent), share(counts.metEndToEnd) { $0.endToEnd }),
    ]
  }

  private static func batchFacts(_ result: ServingResult) -> [Fact] {
    [
      (Column("replicas", style: .count), .int(result.replicas)),
      (
        Column("replica_seconds", heading: "replica-seconds"),
        .number(result.replicaTime.value)
      ),
      (Column("utilisation", heading: "utilisation", style: .percent), .number(result.utilisation)),
      (Column("steps", style: .count), .int(result.metrics.steps)),
      (Column("mean_batch", heading: "mean batch"), .number(result.meanBatch)),
      (
        Column("pipeline_bubble_share", heading: "stages waiting", style: .percent),
        Cell(result.metrics.pipelineBubbleShare)
      ),
      (Column("peak_waiting", heading: "longest line", style: .count), .int(result.metrics.peakWaiting)),
    ]
  }

  private static func clusterFacts(_ counts: ClusterCounts) -> [Fact] {
    [
      (Column("replica_starts", heading: "replicas switched on", style: .count), .int(counts.starts)),
      (Column("replica_stops", heading: "replicas switched off", style: .count), .int(counts.stops)),
      (Column("replica_failures", heading: "failures of replicas", style: .count), .int(counts.failures)),
      (Column("role_flips", heading: "changes of role", style: .count), .int(counts.flips)),
      (Column("retries", style: .count), .int(counts.retries)),
      (Column("transfers", heading: "caches moved", style: .count), .int(counts.transfers)),
      (Column("transferred_b", heading: "bytes of these", style: .size), .number(Double(counts.bytesReceived))),
    ]
  }

  private static func cacheFacts(_ result: ServingResult) -> [Fact] {
    [
      (
        Column("kv_blocks", heading: "KV blocks", style: .count),
        result.blocks < Int(Int32.max) ? .int(result.blocks) : .missing
      ),
      (Column("kv_occupancy_mean", heading: "KV occupancy, mean", style: .percent), .number(result.meanOccupancy)),
      (Column("kv_occupancy_peak", heading: "KV occupancy, peak", style: .percent), .number(result.peakOccupancy)),
      (Column("prefix_hit_rate", heading: "prefix cache hits", style: .percent), .number(result.hitRate)),
      (Column("preemptions", style: .count), .int(result.preemptions)),
      (Column("swaps_out", heading: "swaps out", style: .count), .int(result.counts.swapsOut)),
      (Column("swaps_in", heading: "swaps in", style: .count), .int(result.counts.swapsIn)),
      (Column("adapter_loads", heading: "adapter loads", style: .count), .int(result.counts.adapterLoads)),
    ]
  }

  private static func fairnessFacts(_ tenants: TenantService?, _ tenant: TenantService.Tenant? = nil) -> [Fact] {
    [
      (Column("tenant_demand_tokens", style: .count), Cell(tenant?.demand)),
      (Column("tenant_service_tokens", style: .count), Cell(tenant?.service)),
      (Column("service_jain_index", heading: "fairness, Jain's index"), Cell(tenants?.jainIndex)),
      (Column("service_max_min_ratio", heading: "service, most to least"), Cell(tenants?.spread)),
    ]
  }

  private static func fluidityFacts(_ fluidity: FluidityMetrics?) -> [Fact] {
    [
      (Column("fluidity_index_mean", heading: "fluidity index, mean"), Cell(fluidity?.meanIndex)),
      (
        Column("deadline_miss_rate_p99", heading: "token deadlines missed, P99", style: .percent),
        Cell(fluidity?.missRate(percentile: 99))
      ),
      (Column("fluid_requests", heading: "fluid answers", style: .percent), Cell(fluidity?.fluidShare)),
      (Column("fluid_tokens_per_s", heading: "fluid token rate", style: .rate), Cell(fluidity?.fluidTokensPerSecond)),
    ]
  }

  private static func energyFacts(_ result: ServingResult) -> [Fact] {
    let tokens = Double(max(1, result.metrics.outputTokens))
    return [
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
        Cell(result.cost.map { $0.value / tokens * 1e6 })
      ),
    ]
  }

  // MARK: Classes

  private static func classFacts(_ result: ServingResult, _ index: Int) -> [Fact] {
    let (item, metrics) = (result.classes[index], result.metrics.classes[index])
    let tenant = result.metrics.tenants?.tenants.first { $0.name == item.tenant }
    let hits = metrics.inputTokens > 0 ? Double(metrics.hitTokens) / Double(metrics.inputTokens) : nil
    let latencies = metrics.latencies
    let facts: [Fact] =
      [(Column("class"), .text(item.name)), (Column("tenant"), .text(item.tenant))] + outcomeFacts(metrics.outcomes)
      + rateFacts(result, metrics.outcomes.completed, metrics.inputTokens, metrics.outputTokens)
      + goodputFacts(result, metrics.objectives, [result.metrics.objectivesByClass[index]])
      + [
        (Column("prefix_hit_rate"), Cell(hits)), (Column("preemptions"), .int(metrics.preemptions)),
      ]
    return facts + fairnessFacts(nil, tenant) + latencyFacts("queue", latencies.queueTime)
      + latencyFacts("ttft", latencies.timeToFirstToken) + latencyFacts("tpot", latencies.timePerOutputToken)
      + latencyFacts("e2e", latencies.endToEnd)
  }
}
