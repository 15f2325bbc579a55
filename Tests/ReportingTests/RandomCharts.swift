import EventKernel

@testable import Reporting

/// Charts of every kind with any names and any values, among them none, equal ones and ones that are no numbers.
struct RandomCharts {
  private var stream: RandomStream
  /// What ordinary values are multiplied by.
  private let size: Double

  init(seed: Int) {
    stream = RandomStream(seed: UInt64(seed), name: "charts")
    size = Ticks.power(stream.integer(below: 41) - 20)
  }

  private mutating func value() -> Double {
    let special = [0, -1, .nan, .infinity, -.infinity, 1e300, -1e300, 1e-300, size]
    if stream.integer(below: 12) == 0 { return special[stream.integer(below: special.count)] * 1 }
    return stream.exponential() * size
  }

  private mutating func name() -> String {
    let words = ["alpha", "B", "<&>", "GPU-0", "漢字", "wwwwwwwwwwwwwwwwwwwwwwww", "7"]
    return (0..<stream.integer(below: 5)).map { _ in words[stream.integer(below: words.count)] }.joined(separator: " ")
  }

  private mutating func list<Element>(_ most: Int, _ element: (inout RandomCharts) -> Element) -> [Element] {
    (0..<stream.integer(below: most + 1)).map { _ in element(&self) }
  }

  private mutating func axis() -> Axis {
    let units: [AxisUnit] = [.none, .percent, .seconds, .bytes, AxisUnit("requests/s")]
    return Axis(
      name(), unit: units[stream.integer(below: units.count)],
      kind: stream.integer(below: 2) == 0 ? .linear : .logarithmic,
      covering: stream.integer(below: 2) == 0 ? nil : 0...size)
  }

  private mutating func interval() -> ClosedRange<Double>? {
    let (a, b) = (value(), value())
    return a <= b ? a...b : nil
  }

  mutating func line() -> String {
    let series = list(9) { random in
      LineChart.Series(
        random.name(), random.list(60) { .init($0.value(), $0.value(), interval: $0.interval()) },
        uncertainty: random.stream.integer(below: 2) == 0 ? .band : .bars)
    }
    return LineChart(ChartHeader(name(), subtitle: name()), x: axis(), y: axis(), series: series).svg()
  }

  mutating func scatter() -> String {
    let series = list(4) { random in
      ScatterChart.Series(random.name(), random.list(30) { .init($0.value(), $0.value(), label: $0.name()) })
    }
    let reference: ScatterChart.Reference = stream.integer(below: 2) == 0 ? .none : .identity(band: stream.uniform())
    return ScatterChart(ChartHeader(name()), x: axis(), y: axis(), series: series, reference: reference).svg()
  }

  mutating func distribution() -> String {
    let series = list(6) { random in DistributionChart.Series(random.name(), values: random.list(200) { $0.value() }) }
    return DistributionChart(ChartHeader(name()), x: axis(), series: series).svg()
  }

  mutating func bars() -> String {
    let bars = list(9) {
      BarChart.Bar($0.name(), $0.value(), interval: $0.interval(), group: $0.stream.integer(below: 3))
    }
    return BarChart(ChartHeader(name()), axis: axis(), bars: bars, groups: list(3) { $0.name() }).svg()
  }

  mutating func stackedBars() -> String {
    let parts = list(9) { $0.name() }
    let bars = list(6) { random in
      StackedBarChart.Bar(random.name(), parts.map { _ in random.value() })
    }
    return StackedBarChart(ChartHeader(name()), axis: axis(), parts: parts, bars: bars).svg()
  }

  mutating func heatMap() -> String {
    let (columns, rows) = (list(30) { $0.name() }, list(6) { $0.name() })
    let values = rows.map { _ in columns.map { _ in stream.integer(below: 9) == 0 ? nil : value() } }
    let ramps: [ColourRamp.Kind] = [.amount, .logarithmicAmount, .difference(from: size)]
    return HeatMap(
      ChartHeader(name()), columns: (name(), columns), rows: (name(), rows), values: values, of: name(),
      unit: axis().unit, ramp: ramps[stream.integer(below: ramps.count)]
    ).svg()
  }

  mutating func timeline() -> String {
    let lanes = list(6) { random in
      TimelineChart.Lane(
        random.name(),
        random.list(3) { random in
          .init(random.value(), random.value(), random.name(), kind: random.stream.integer(below: 4))
        }
      )
    }
    return TimelineChart(ChartHeader(name()), kinds: list(4) { $0.name() }, lanes: lanes).svg()
  }

  func all() -> [String] {
    var random = self
    return [
      random.line(), random.scatter(), random.distribution(), random.bars(), random.stackedBars(), random.heatMap(),
      random.timeline(),
    ]
  }
}
