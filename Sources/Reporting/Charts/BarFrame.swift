/// Named rows over one axis, for bars and timelines.
struct BarFrame {
  struct Layout {
    var axis: Axis
    var domain: ClosedRange<Double>
    /// A row's name, and how much room it needs behind the end of its bar.
    var rows: [(name: String, tail: Double)]
    var legend: [Legend.Entry] = []
    /// Shade the rows alternately.
    var striped = false
  }

  static let rowHeight = 24.0

  let x: ScaledAxis
  let box: ChartBox
  private let rows: [String]
  private let striped: Bool
  private let legend: Legend
  private let top: Double

  init(_ layout: Layout, top: Double) {
    self.top = top
    striped = layout.striped
    legend = Legend(layout.legend, left: ChartPage.margin, width: ChartPage.inner)
    let limit = ChartPage.inner * 0.4
    rows = layout.rows.map { TextMetrics.fitted($0.name, width: limit, .legend) }
    let names = rows.map { TextMetrics.width($0, .legend) }.max() ?? 0
    let tail = layout.rows.map { $0.tail + 8 }.max() ?? 0
    let left = ChartPage.margin + names + 8
    let right = ChartPage.width - ChartPage.margin - max(tail, 18)
    box = ChartBox(
      left: left, top: top + legend.height + 4, width: right - left,
      height: Double(max(1, rows.count)) * Self.rowHeight)
    x = .horizontal(layout.axis, Scale(kind: layout.axis.kind, domain: layout.domain, start: left, end: right))
  }

  func middle(_ row: Int) -> Double { box.top + (Double(row) + 0.5) * Self.rowHeight }

  /// Draws names, grid and axis.
  /// - Returns: The height at which the frame ends.
  func draw(in svg: inout SVGBuilder) -> Double {
    legend.draw(top: top, in: &svg)
    for row in rows.indices where striped && row % 2 == 0 {
      let stripe = ChartBox(left: box.left, top: middle(row) - 12, width: box.width, height: 24)
      svg.rectangle(stripe, [("class", "rl-muted"), ("fill-opacity", "0.07")])
    }
    for tick in x.ticks {
      svg.line(ChartPoint(tick.position, box.top), ChartPoint(tick.position, box.bottom), Stroke.grid)
      svg.label(tick.label, at: ChartPoint(tick.labelPosition, box.bottom + 16), .tick.anchored(.middle))
    }
    for row in rows.indices {
      svg.label(rows[row], at: ChartPoint(box.left - 8, middle(row) + 4), .legend.anchored(.end))
    }
    svg.label(
      x.title, at: ChartPoint(ChartPage.width - ChartPage.margin, box.bottom + 33), .axisTitle.anchored(.end))
    return box.bottom + 39
  }
}
