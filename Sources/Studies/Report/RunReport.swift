import Documents
import Quantities
import Reporting
import Store

/// A stored run as a page.
package struct RunReport {
  private let run: StoredRun
  private let metrics: [StoredMetric]
  private let values: [String: Double]
  private let operators: [OperatorRow]
  private let distributions: [DistributionPoint]
  private let series: [SeriesRow]
  private let assumptions: [Assumption]

  /// - Throws: `DataError` for a damaged store.
  package init(_ run: StoredRun, in store: Store) throws {
    self.run = run
    metrics = try store.metrics(of: run.id)
    values = Dictionary(metrics.compactMap { item in item.value.map { (item.metric, $0) } }, uniquingKeysWith: { $1 })
    operators = try store.operators(of: run.id)
    distributions = try store.distributions(of: run.id)
    series = try store.series(of: run.id)
    assumptions = try store.assumptions(of: run.id)
  }

  package var page: ReportPage {
    ReportPage(
      title: "\(run.name): \(kind)", headline: headline,
      sections: [
        .init(
          "Numbers",
          [.table(numbers, caption: "What was predicted, with the interval that measurements are expected in")]),
        .init("Latency", charts([latencies])), .init("Over time", charts(timelines)),
        .init("Roofline", roofline), .init("Memory and energy", charts([memory, energy])),
        .init("What would change it", sensitivities),
        .init("Assumptions", [.table(assumptionTable, caption: "What was taken for granted, and who says so")]),
        .init("Where it comes from", ReportParts.origin(run)),
      ],
      footer: "Written by ridgeline \(ToolVersion.text) from run \(run.uid).")
  }

  private var kind: String {
    switch run.kind {
    case "simulate": "a replay"
    case "predict": "a static batch"
    case "size": "a deployment sized for its load"
    default: run.kind
    }
  }

  private var headline: String {
    if let problem = run.problem { return "No result: \(problem)" }
    let key = ["tpot_p99_s", "tpot_s"].compactMap { name in metrics.first { $0.metric == name } }.first
    guard let key, let low = key.low, let high = key.high else { return run.headline + "." }
    return run.headline
      + ".\nMeasurements are expected to find a token every \(Seconds(low)) to \(Seconds(high)) where "
      + "this says \(Seconds(key.value ?? 0))."
  }

  private func charts(_ charts: [ReportChart?]) -> [ReportPage.Block] {
    let drawn = charts.compactMap { $0 }
    return drawn.isEmpty ? [] : [.charts(drawn)]
  }

  // MARK: Numbers

  private var numbers: ResultTable {
    var table = ResultTable(columns: [
      .init("metric"), .init("value"), .init("low"), .init("high"),
    ])
    for item in metrics where item.value != nil && !Self.isDrawn(item.metric) {
      let style = MetricStyle.style(of: item.metric)
      func text(_ value: Double?) -> ResultTable.Cell {
        .init(value.map { ResultTable.Cell.number($0).text(style: style) })
      }
      table.append([.text(item.metric), text(item.value), text(item.low), text(item.high)])
    }
    return table
  }

  /// What a chart shows need not stand in the table.
  private static func isDrawn(_ metric: String) -> Bool {
    ["elasticity.", "memory_", "device_", "energy_prefill_step", "energy_decode_step"].contains { metric.hasPrefix($0) }
  }

  // MARK: Charts

  private var latencies: ReportChart? {
    let kinds = [("ttft_s", "time to first token"), ("tpot_s", "time per output token"), ("e2e_s", "end to end")]
    let lines = kinds.compactMap { metric, name -> DistributionChart.Series? in
      let steps = distributions.filter { $0.metric == metric && $0.value > 0 }.map {
        (value: $0.value, share: $0.share)
      }
      return steps.isEmpty ? nil : DistributionChart.Series(name, steps: steps)
    }
    guard !lines.isEmpty else { return nil }
    let chart = DistributionChart(
      ChartHeader("How long requests take", subtitle: "Share of requests at or below each latency"),
      x: Axis("Latency", unit: .seconds, kind: .logarithmic), series: lines)
    return ReportChart("latency", chart.svg())
  }

  private var timelines: [ReportChart?] {
    guard series.count > 1 else { return [] }
    let thin = max(1, series.count / 300)
    let rows = series.indices.filter { $0 % thin == 0 }.map { series[$0] }
    func line(_ name: String, _ value: (SeriesRow) -> Double?) -> LineChart.Series {
      LineChart.Series(name, rows.compactMap { row in value(row).map { LineChart.Point(row.time, $0) } })
    }
    func chart(_ name: String, _ title: String, _ y: Axis, _ lines: [LineChart.Series]) -> ReportChart {
      ReportChart(name, LineChart(ChartHeader(title), x: Axis("Time", unit: .seconds), y: y, series: lines).svg())
    }
    return [
      chart(
        "requests", "Requests in the system", Axis("Requests", covering: 0...0),
        [line("running") { Double($0.running) }, line("waiting") { Double($0.waiting) }]),
      chart(
        "cache", "KV cache in use", Axis("Share", unit: .percent, covering: 0...1),
        [line("blocks in use") { $0.occupancy }]),
      chart(
        "power", "Power of all devices", Axis("Power", unit: .watts, covering: 0...0), [line("power") { $0.power }]),
      chart(
        "tokens", "Answer tokens a second", Axis("Tokens a second", covering: 0...0),
        [line("tokens") { $0.outputTokensPerSecond }]),
    ]
  }

  private var roofline: [ReportPage.Block] {
    guard let bandwidth = values["device_memory_bandwidth_b_per_s"], !operators.isEmpty else { return [] }
    let drawn = operators.filter { $0.flops > 0 && $0.bytes > 0 && $0.time > 0 }
    guard let peak = drawn.map(\.peak).max(), peak > 0, bandwidth > 0 else { return [] }
    let ridge = peak / bandwidth
    let left = min(ridge / 10, (drawn.map { $0.flops / $0.bytes }.min() ?? 1) / 2)
    let right = max(ridge * 10, (drawn.map { $0.flops / $0.bytes }.max() ?? 1) * 2)
    let roof = [ChartPoint(left, left * bandwidth), ChartPoint(ridge, peak), ChartPoint(right, peak)]
    let groups = ["prefill", "decode"].map { phase in
      ScatterChart.Series(
        phase,
        drawn.filter { $0.phase == phase }.map {
          ScatterChart.Point($0.flops / $0.bytes, $0.flops / $0.time, label: $0.name)
        })
    }.filter { !$0.points.isEmpty }
    let chart = ScatterChart(
      ChartHeader(
        "Operators under the roof", subtitle: "What one device computes, against what it computes for each byte"),
      x: Axis("FLOP for each byte", unit: AxisUnit("FLOP/B"), kind: .logarithmic),
      y: Axis("Rate", unit: AxisUnit("FLOP/s", takesPrefix: true), kind: .logarithmic), series: groups,
      reference: .roofs([roof]))
    return [
      .charts([ReportChart("roofline", chart.svg())]),
      .table(operatorTable, caption: "The operators that take most time"),
    ]
  }

  private var operatorTable: ResultTable {
    var table = ResultTable(columns: [
      .init("step"), .init("operator"), .init("instances"), .init("time", style: .time),
      .init("share", style: .percent),
      .init("work", style: .work), .init("traffic", style: .size), .init("bound by"),
    ])
    for phase in ["prefill", "decode"] {
      let rows = operators.filter { $0.phase == phase }
      let total = rows.reduce(0) { $0 + $1.time }
      for row in rows.sorted(by: { ($1.time, $0.name) < ($0.time, $1.name) }).prefix(8) {
        table.append([
          .text(phase), .text(row.name), .int(row.instances), .number(row.time), .number(row.time / total),
          .number(row.flops), .number(row.bytes), .text(row.bound),
        ])
      }
    }
    return table
  }

  private var memory: ReportChart? {
    let parts = [
      ("weights", "memory_weights_b"), ("KV cache", "memory_kv_b"), ("free for KV cache", "memory_kv_free_b"),
      ("activations", "memory_activations_b"), ("runtime", "memory_runtime_b"), ("left alone", "memory_unused_b"),
    ].filter { values[$0.1] != nil }
    guard !parts.isEmpty else { return nil }
    let chart = StackedBarChart(
      ChartHeader("Memory of the fullest device"), axis: Axis("Memory", unit: .bytes), parts: parts.map(\.0),
      bars: [.init("device", parts.map { max(0, values[$0.1] ?? 0) })])
    return ReportChart("memory", chart.svg())
  }

  private var energy: ReportChart? {
    let names = EnergyParts().named.map(\.name)
    let bars = ["prefill", "decode"].compactMap { phase -> StackedBarChart.Bar? in
      let parts = names.map { values["energy_\(phase)_step_\($0)_j"] }
      guard parts.contains(where: { $0 != nil }) else { return nil }
      return StackedBarChart.Bar("\(phase) step", parts.map { $0 ?? 0 })
    }
    guard !bars.isEmpty else { return nil }
    let chart = StackedBarChart(
      ChartHeader("Where the energy of a step goes"), axis: Axis("Energy", unit: .joules), parts: EnergyParts.titles,
      bars: bars)
    return ReportChart("energy", chart.svg())
  }

  private var sensitivities: [ReportPage.Block] {
    let all = metrics.compactMap { item -> (output: String, number: String, value: Double)? in
      let parts = item.metric.split(separator: ".").map(String.init)
      guard parts.count == 3, parts[0] == "elasticity", let value = item.value else { return nil }
      return (parts[1], parts[2], value)
    }
    return ReportParts.elasticities(all)
  }

  private var assumptionTable: ResultTable {
    var table = ResultTable(columns: [.init("what"), .init("value"), .init("source")])
    for item in assumptions { table.append([.text(item.subject), .text(item.value), .text(item.source)]) }
    return table
  }
}

/// What several reports have in common.
package enum ReportParts {
  /// Bars of elasticities, a chart for each output.
  static func elasticities(_ all: [(output: String, number: String, value: Double)]) -> [ReportPage.Block] {
    var outputs: [String] = []
    for item in all where !outputs.contains(item.output) { outputs.append(item.output) }
    let charts = outputs.compactMap { output -> ReportChart? in
      let bars = all.filter { $0.output == output && abs($0.value) >= 0.001 }
        .sorted { (abs($1.value), $0.number) < (abs($0.value), $1.number) }
        .map { BarChart.Bar($0.number.replacing("_", with: " "), $0.value) }
      guard !bars.isEmpty else { return nil }
      let chart = BarChart(
        ChartHeader("What changes \(output)", subtitle: "Per cent of it for one per cent more"),
        axis: Axis("Elasticity"), bars: bars)
      return ReportChart("sensitivity-\(output.replacing("_", with: "-"))", chart.svg())
    }
    return charts.isEmpty ? [] : [.charts(charts)]
  }

  static func origin(_ run: StoredRun) -> [ReportPage.Block] {
    [
      .code(run.command),
      .list([
        "version \(run.toolVersion), data files \(run.dataHash)", "calibrations \(run.calibrations)",
        "seed \(run.seed.map(String.init) ?? "of the scenario")", "scenario \(run.scenario)",
      ]),
    ]
  }
}
