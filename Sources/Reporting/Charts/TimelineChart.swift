/// What each of several resources did when: one row a resource, one bar a span.
package struct TimelineChart: Sendable {
  package struct Span: Sendable {
    /// Seconds.
    package var start: Double
    package var end: Double
    package var name: String
    /// Which colour, and which name in the legend.
    package var kind: Int

    package init(_ start: Double, _ end: Double, _ name: String, kind: Int) {
      self.start = start
      self.end = end
      self.name = name
      self.kind = kind
    }
  }

  package struct Lane: Sendable {
    package var name: String
    package var spans: [Span]

    package init(_ name: String, _ spans: [Span]) {
      self.name = name
      self.spans = spans
    }
  }

  package var header: ChartHeader
  package var kinds: [String]
  package var lanes: [Lane]
  package var notes: [String]

  package init(_ header: ChartHeader, kinds: [String], lanes: [Lane], notes: [String] = []) {
    self.header = header
    self.kinds = kinds
    self.lanes = lanes
    self.notes = notes
  }

  private static let axis = Axis("Time", unit: .seconds)

  /// The drawing, as one `svg` element.
  /// - Complexity: O(spans).
  package func svg() -> String {
    let spans = lanes.flatMap(\.spans)
    var omissions = Omissions()
    for span in spans where !Self.shown(span) { omissions.add("a span without a beginning and a later end") }
    let empty = spans.contains(where: Self.shown) ? [] : ["There is nothing to show."]
    let summary = "Timeline of \(lanes.map(\.name).joined(separator: ", ")) by \(kinds.joined(separator: ", "))."
    return ChartPage(header: header, summary: summary, notes: notes + omissions.notes + empty).draw { svg, top in
      let frame = BarFrame(layout, top: top)
      let bottom = frame.draw(in: &svg)
      for row in lanes.indices {
        let spans = lanes[row].spans.filter(Self.shown)
        for span in spans { Self.draw(span, row, in: frame, &svg) }
        Self.drawNames(spans, row, in: frame, &svg)
      }
      return bottom
    }
  }

  private static func shown(_ span: Span) -> Bool {
    axis.accepts(span.start) && axis.accepts(span.end) && span.end >= span.start
  }

  private var layout: BarFrame.Layout {
    let times = lanes.flatMap(\.spans).filter(Self.shown).flatMap { [$0.start, $0.end] }
    let domain = Self.axis.domain(of: times, steps: 12)
    let legend = kinds.enumerated().map { Legend.Entry(name: $0.element, series: $0.offset, sample: .area) }
    let rows = lanes.map { ($0.name, 0.0) }
    return BarFrame.Layout(axis: Self.axis, domain: domain, rows: rows, legend: legend, striped: true)
  }

  private static func draw(_ span: Span, _ row: Int, in frame: BarFrame, _ svg: inout SVGBuilder) {
    let (left, right) = (frame.x.scale.position(span.start), frame.x.scale.position(span.end))
    let box = ChartBox(left: left, top: frame.middle(row) - 8, width: max(0.3, right - left), height: 16)
    let text = "\(span.name): \(axis.unit.text(span.start)) to \(axis.unit.text(span.end))"
    svg.group("g", [("class", ChartTheme.className(span.kind))]) { svg in
      svg.rectangle(box, [("fill", "currentColor"), ("class", "rl-halo"), ("stroke-width", "0.6")], title: text)
    }
  }

  /// Names inside their bars, where they have room and no earlier bar of the lane has its name.
  private static func drawNames(_ spans: [Span], _ row: Int, in frame: BarFrame, _ svg: inout SVGBuilder) {
    let style = TextStyle(size: 11, anchor: .middle, ink: .ground)
    var free = -Double.infinity
    for span in spans.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) where !span.name.isEmpty {
      let (left, right) = (frame.x.scale.position(span.start), frame.x.scale.position(span.end))
      guard left >= free, TextMetrics.width(span.name, style) <= right - left - 6 else { continue }
      svg.label(span.name, at: ChartPoint((left + right) / 2, frame.middle(row) + 4), style)
      free = right
    }
  }
}
