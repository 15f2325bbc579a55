/// Horizontal bars made of parts, one bar a row, with its sum at its end.
package struct StackedBarChart: Sendable {
  package struct Bar: Sendable {
    package var name: String
    /// One value a part; parts that are negative or not finite are left out.
    package var values: [Double]

    package init(_ name: String, _ values: [Double]) {
      self.name = name
      self.values = values
    }
  }

  package var header: ChartHeader
  package var axis: Axis
  /// Names of the parts, in the order in which they lie.
  package var parts: [String]
  package var bars: [Bar]
  package var notes: [String]

  /// - Precondition: Every bar has one value a part.
  package init(_ header: ChartHeader, axis: Axis, parts: [String], bars: [Bar], notes: [String] = []) {
    precondition(bars.allSatisfy { $0.values.count == parts.count }, "a bar needs one value a part")
    self.header = header
    self.axis = axis
    self.axis.kind = .linear
    self.parts = parts
    self.bars = bars
    self.notes = notes
  }

  /// The drawing, as one `svg` element.
  package func svg() -> String {
    var omissions = Omissions()
    for value in bars.flatMap(\.values) where !stacks(value) {
      omissions.add(value < 0 ? "negative" : Omissions.reason(axis, value))
    }
    let empty = bars.isEmpty || parts.isEmpty ? ["There is nothing to show."] : []
    return ChartPage(header: header, summary: summary, notes: notes + omissions.notes + empty).draw { svg, top in
      let frame = BarFrame(layout, top: top)
      let bottom = frame.draw(in: &svg)
      for row in bars.indices { draw(row, in: frame, &svg) }
      return bottom
    }
  }

  private var summary: String {
    let sums = bars.map { "\($0.name) \(axis.unit.text(total($0)))" }.joined(separator: ", ")
    return "Stacked bars of \(axis.title) by \(parts.joined(separator: ", ")); sums: \(sums)."
  }

  private func stacks(_ value: Double) -> Bool { axis.accepts(value) && value >= 0 }

  private func total(_ bar: Bar) -> Double { bar.values.filter(stacks).reduce(0, +) }

  private var layout: BarFrame.Layout {
    let rows = bars.map { ($0.name, TextMetrics.width(axis.unit.text(total($0)), .legend)) }
    let legend = parts.enumerated().map { Legend.Entry(name: $0.element, series: $0.offset, sample: .area) }
    let domain = axis.domain(of: bars.map(total) + [0], steps: 5)
    return BarFrame.Layout(axis: axis, domain: domain, rows: rows, legend: legend)
  }

  private func draw(_ row: Int, in frame: BarFrame, _ svg: inout SVGBuilder) {
    let bar = bars[row]
    let middle = frame.middle(row)
    var sum = 0.0
    for part in parts.indices where stacks(bar.values[part]) && bar.values[part] > 0 {
      let left = frame.x.scale.position(sum)
      sum += bar.values[part]
      let box = ChartBox(left: left, top: middle - 8, width: frame.x.scale.position(sum) - left, height: 16)
      let text = "\(bar.name), \(parts[part]): \(axis.unit.text(bar.values[part]))"
      svg.group("g", [("class", ChartTheme.className(part))]) { svg in
        // The thin edge in the colour of the ground keeps neighbours apart without colour.
        svg.rectangle(box, [("fill", "currentColor"), ("class", "rl-halo")], title: text)
      }
    }
    let end = ChartPoint(frame.x.scale.position(sum) + 6, middle + 4)
    svg.label(axis.unit.text(sum), at: end, .legend)
  }
}
