/// Horizontal bars, one a row, each named at the left and valued at its end.
package struct BarChart: Sendable {
  package struct Bar: Sendable {
    package var name: String
    /// Nothing, or a number that is not finite, leaves the row without a bar.
    package var value: Double?
    package var interval: ClosedRange<Double>?
    /// Which colour.
    package var group: Int

    package init(_ name: String, _ value: Double?, interval: ClosedRange<Double>? = nil, group: Int = 0) {
      self.name = name
      self.value = value
      self.interval = interval
      self.group = group
    }
  }

  package var header: ChartHeader
  /// What the bars measure; bars begin at zero, so the axis is linear whatever it says.
  package var axis: Axis
  package var bars: [Bar]
  /// Names of the groups, for the legend; empty for bars of one kind.
  package var groups: [String]
  package var notes: [String]

  package init(_ header: ChartHeader, axis: Axis, bars: [Bar], groups: [String] = [], notes: [String] = []) {
    self.header = header
    self.axis = axis
    self.axis.kind = .linear
    self.bars = bars
    self.groups = groups
    self.notes = notes
  }

  /// The drawing, as one `svg` element.
  package func svg() -> String {
    let empty = bars.isEmpty ? ["There is nothing to show."] : []
    let summary = "Bar chart of \(axis.title): " + bars.map { "\($0.name) \(text($0))" }.joined(separator: ", ") + "."
    return ChartPage(header: header, summary: summary, notes: notes + empty).draw { svg, top in
      let frame = BarFrame(layout, top: top)
      let bottom = frame.draw(in: &svg)
      for row in bars.indices { draw(row, in: frame, &svg) }
      return bottom
    }
  }

  private func value(_ bar: Bar) -> Double? { bar.value.flatMap { axis.accepts($0) ? $0 : nil } }

  private func text(_ bar: Bar) -> String { value(bar).map { axis.unit.text($0) } ?? "no value" }

  private func ends(_ bar: Bar) -> [Double] {
    let interval = bar.interval.map { [$0.lowerBound, $0.upperBound] } ?? []
    return [value(bar)].compactMap { $0 } + (value(bar) == nil ? [] : interval.filter(axis.accepts))
  }

  private var layout: BarFrame.Layout {
    let values = bars.flatMap(ends) + [0]
    let labels = bars.map { ($0.name, TextMetrics.width(text($0), .legend)) }
    let legend = groups.enumerated().map { Legend.Entry(name: $0.element, series: $0.offset, sample: .area) }
    return BarFrame.Layout(axis: axis, domain: axis.domain(of: values, steps: 5), rows: labels, legend: legend)
  }

  private func draw(_ row: Int, in frame: BarFrame, _ svg: inout SVGBuilder) {
    let bar = bars[row]
    let zero = frame.x.scale.position(0)
    let middle = frame.middle(row)
    let places = ends(bar).map(frame.x.scale.position)
    svg.group("g", [("class", ChartTheme.className(bar.group))]) { svg in
      guard let value = value(bar) else { return }
      let end = frame.x.scale.position(value)
      let box = ChartBox(left: min(zero, end), top: middle - 7, width: abs(end - zero), height: 14)
      svg.rectangle(box, [("fill", "currentColor"), ("rx", "1.5")], title: "\(bar.name): \(text(bar))")
    }
    drawInterval(bar, at: middle, in: frame, &svg)
    let left = (places + [zero]).max() ?? zero
    svg.label(text(bar), at: ChartPoint(left + 6, middle + 4), .legend)
  }

  private func drawInterval(_ bar: Bar, at middle: Double, in frame: BarFrame, _ svg: inout SVGBuilder) {
    guard value(bar) != nil, let interval = bar.interval, axis.accepts(interval.lowerBound),
      axis.accepts(interval.upperBound)
    else { return }
    let (low, high) = (frame.x.scale.position(interval.lowerBound), frame.x.scale.position(interval.upperBound))
    let ink: [SVGBuilder.Attribute] = [("class", "rl-axis"), ("stroke-width", "1.5")]
    svg.line(ChartPoint(low, middle), ChartPoint(high, middle), ink)
    for end in [low, high] { svg.line(ChartPoint(end, middle - 4), ChartPoint(end, middle + 4), ink) }
  }
}
