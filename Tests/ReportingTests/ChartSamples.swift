import EventKernel

@testable import Reporting

/// One chart of every kind with made-up numbers, for snapshots and for checks that hold for all charts.
enum ChartSamples {
  static let all: [(name: String, svg: String)] = [
    ("line", line.svg()), ("line-log", logLine.svg()), ("line-empty", empty.svg()), ("line-one-point", onePoint.svg()),
    ("line-many-series", manySeries.svg()), ("scatter", scatter.svg()), ("distribution", distribution.svg()),
    ("bars", bars.svg()), ("bars-signed", signedBars.svg()), ("stacked-bars", stacked.svg()),
    ("heat-map", heatMap.svg()), ("heat-map-difference", difference.svg()), ("timeline", timeline.svg()),
    ("long-texts", longTexts.svg()),
  ]

  static let rate = Axis("Request rate", unit: AxisUnit("requests/s"))

  /// Latency against load of a queue with some capacity.
  private static func latency(_ name: String, capacity: Double, floor: Double) -> LineChart.Series {
    let points = stride(from: 1.0, through: 10, by: 1).map { rate in
      let value = floor / (1 - rate / capacity)
      return LineChart.Point(rate, value, interval: value * 0.85...value * 1.2)
    }
    return LineChart.Series(name, points)
  }

  static let line = LineChart(
    ChartHeader("P99 time to first token", subtitle: "Made-up server, 95 % intervals"), x: rate,
    y: Axis("P99 TTFT", unit: .seconds, covering: 0...0),
    series: [
      latency("FCFS", capacity: 11, floor: 0.1), latency("chunked", capacity: 13, floor: 0.12),
      latency("shortest first", capacity: 14, floor: 0.08),
    ])

  static let logLine: LineChart = {
    let points = (0...6).map { LineChart.Point(Ticks.power($0), 0.0003 * Ticks.power($0)) }
    let refused = [LineChart.Point(0, 1), LineChart.Point(10, -2), LineChart.Point(10, .nan)]
    let bars = points.map { LineChart.Point($0.x, $0.y * 3, interval: 0...$0.y * 5) }
    return LineChart(
      ChartHeader("Copy time"), x: Axis("Size", unit: .bytes, kind: .logarithmic),
      y: Axis("Time", unit: .seconds, kind: .logarithmic),
      series: [
        .init("PCIe & NVLink <together>", points + refused), .init("\"host\" copies", bars, uncertainty: .bars),
      ])
  }()

  static let empty = LineChart(
    ChartHeader("Nothing measured"), x: rate, y: Axis("Power", unit: .watts), series: [.init("none", [])])

  static let onePoint = LineChart(
    ChartHeader("One measurement"), x: rate, y: Axis("Power", unit: .watts), series: [.init("once", [.init(3, 412)])])

  static let manySeries = LineChart(
    ChartHeader("Ten schedulers"), x: rate, y: Axis("Goodput", unit: AxisUnit("requests/s")),
    series: (0..<10).map { index in
      LineChart.Series(
        "scheduler number \(index)",
        (1...10).map { LineChart.Point(Double($0), min(Double($0), 3 + Double(index) * 0.6)) })
    })

  static let scatter: ScatterChart = {
    var stream = RandomStream(seed: 1, name: "scatter")
    func points(_ count: Int) -> [ScatterChart.Point] {
      (0..<count).map { index in
        let measured = PortableMath.exp(stream.normal() * 1.8 - 3)
        return .init(measured, measured * PortableMath.exp(stream.normal() * 0.1), label: "case \(index)")
      }
    }
    return ScatterChart(
      ChartHeader("Predicted against measured"), x: Axis("Measured", unit: .seconds, kind: .logarithmic),
      y: Axis("Predicted", unit: .seconds, kind: .logarithmic),
      series: [.init("prefill", points(60)), .init("decode", points(60)), .init("mixed", points(20))],
      reference: .identity(band: 0.1))
  }()

  static let distribution: DistributionChart = {
    var stream = RandomStream(seed: 2, name: "distribution")
    func values(_ mean: Double) -> [Double] { (0..<2000).map { _ in mean * PortableMath.exp(0.7 * stream.normal()) } }
    return DistributionChart(
      ChartHeader("Time between tokens"), x: Axis("Time between tokens", unit: .seconds, kind: .logarithmic),
      series: [
        .init("one GPU", values: values(0.03)), .init("two GPUs", values: values(0.02)),
        .init("paged", values: values(0.05) + [.nan]),
      ])
  }()

  static let bars = BarChart(
    ChartHeader("Energy per token", subtitle: "Decode, batch 16"), axis: Axis("Energy per token", unit: .joules),
    bars: [
      .init("H100 SXM", 0.38, interval: 0.33...0.42), .init("A100 80 GB", 0.61, interval: 0.5...0.7, group: 1),
      .init("an accelerator with a name that is far too long for its column", 0.25, group: 1), .init("no data", nil),
    ],
    groups: ["new", "old"])

  static let signedBars = BarChart(
    ChartHeader("Difference from FCFS"), axis: Axis("Change of P99", unit: .percent),
    bars: [
      .init("chunked", -0.21, interval: -0.25 ... -0.17), .init("shortest", 0.12, interval: 0.02...0.2),
      .init("same", 0),
    ])

  static let stacked = StackedBarChart(
    ChartHeader("Where a decode step goes"), axis: Axis("Time", unit: .seconds),
    parts: ["weights", "KV cache", "collectives", "launch", "host"],
    bars: [
      .init("batch 1", [0.0048, 0.0001, 0.0002, 0.0009, 0.0003]),
      .init("batch 16", [0.0049, 0.0008, 0.0003, 0.0009, 0.0004]),
      .init("batch 256", [0.0056, 0.0121, 0.0009, 0.0009, -1]),
    ])

  private static func throughput(_ row: Int, _ column: Int) -> Double? {
    guard row < 3 || column < 7 else { return nil }
    return 90 * Double(1 << column) / (1 + Double(column * row) / 4)
  }

  static let heatMap = HeatMap(
    ChartHeader("Throughput"), columns: ("Batch", (0...9).map { String(1 << $0) }),
    rows: ("Prompt", ["128", "512", "2,048", "8,192"]),
    values: (0..<4).map { row in (0...9).map { throughput(row, $0) } },
    of: "Tokens per second", unit: AxisUnit(""), ramp: .logarithmicAmount)

  private static func gain(_ row: Int, _ rate: Int) -> Double? { Double(rate + 4 * row - 14) / 20 }

  static let difference = HeatMap(
    ChartHeader("Where splitting pools wins"), columns: ("Rate", (1...24).map { "\($0) requests/s" }),
    rows: ("Prompt", ["short", "middle", "long"]),
    values: (0..<3).map { row in (1...24).map { gain(row, $0) } },
    of: "Change of goodput", unit: .percent, ramp: .difference(from: 0))

  static let timeline = TimelineChart(
    ChartHeader("Two replicas"), kinds: ["prefill", "decode", "transfer"],
    lanes: [
      .init("GPU 0", [.init(0, 0.031, "prefill", kind: 0), .init(0.035, 0.09, "decode x 8", kind: 1)]),
      .init("GPU 1", [.init(0.01, 0.02, "p", kind: 0), .init(0.05, 0.118, "decode", kind: 1)]),
      .init("link", [.init(0.031, 0.05, "KV", kind: 2), .init(3, 2, "backwards", kind: 2)]),
    ])

  static let longTexts = LineChart(
    ChartHeader(
      "A title so long that it cannot stand in one line of the chart, nor of any reasonable chart at all",
      subtitle: "with a subtitle that goes on and on, to see that it breaks between words and not within them, twice"),
    x: Axis("An axis title that is a good deal longer than the axis it names, and longer than the whole drawing too"),
    y: Axis("Likewise for the vertical axis, whose title lies above it and must not leave the drawing at the right"),
    series: [
      .init(String(repeating: "endless-name", count: 12), [.init(123_456_789, 1), .init(987_654_321, 2)]),
      .init("漢字 and é", [.init(123_456_789, 2), .init(987_654_321, 1.9)]),
    ])
}
