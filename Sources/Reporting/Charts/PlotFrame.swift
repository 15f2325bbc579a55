/// Two axes with their grid, titles and labels around a plot.
struct PlotFrame {
  let x: ScaledAxis
  let y: ScaledAxis
  let box: ChartBox
  private let legend: Legend
  private let top: Double

  /// What decides where the plot lies.
  struct Layout {
    var x: Axis
    var y: Axis
    var xDomain: ClosedRange<Double>
    var yDomain: ClosedRange<Double>
    var legend: [Legend.Entry] = []
    /// Room at the right for names of lines.
    var rightLabels = 0.0
    /// As high as it is wide.
    var square = false
  }

  static let plotHeight = 230.0

  init(_ layout: Layout, top: Double) {
    self.top = top
    legend = Legend(layout.legend, left: ChartPage.margin, width: ChartPage.inner)
    let trialY = ScaledAxis(layout.y, Self.vertical(layout, 0, Self.plotHeight), limit: 7)
    let plotTop = top + legend.height + (trialY.title.isEmpty ? 8 : 26)
    let left = ChartPage.margin + 2 * (trialY.ticks.map(\.half).max() ?? 0) + 8
    let right = max(layout.rightLabels, 0) + ChartPage.margin
    let trial = Self.horizontal(layout, left, ChartPage.width - right)
    // The last tick's label may stand out on the right.
    let overhang = trial.ticks.last.map { $0.half + $0.position } ?? 0
    let excess = max(0, overhang - (ChartPage.width - ChartPage.margin))
    x = excess > 0 ? Self.horizontal(layout, left, ChartPage.width - right - excess - 1) : trial
    let width = x.scale.end - left
    box = ChartBox(left: left, top: plotTop, width: width, height: layout.square ? width : Self.plotHeight)
    y = ScaledAxis(layout.y, Self.vertical(layout, box.top, box.bottom), limit: 7)
  }

  private static func vertical(_ layout: Layout, _ top: Double, _ bottom: Double) -> Scale {
    Scale(kind: layout.y.kind, domain: layout.yDomain, start: bottom, end: top)
  }

  private static func horizontal(_ layout: Layout, _ left: Double, _ right: Double) -> ScaledAxis {
    .horizontal(layout.x, Scale(kind: layout.x.kind, domain: layout.xDomain, start: left, end: right))
  }

  /// Where a value pair lies.
  func place(_ x: Double, _ y: Double) -> ChartPoint {
    ChartPoint(self.x.scale.position(x), self.y.scale.position(y))
  }

  /// Draws everything but the data.
  /// - Returns: The height at which the frame ends.
  func draw(in svg: inout SVGBuilder) -> Double {
    legend.draw(top: top, in: &svg)
    if !y.title.isEmpty {
      svg.label(y.title, at: ChartPoint(ChartPage.margin, box.top - 11), .axisTitle)
    }
    drawHorizontalLines(in: &svg)
    drawVerticalLines(in: &svg)
    let left = ChartPoint(box.left, box.bottom)
    svg.line(left, ChartPoint(box.right, box.bottom), Stroke.axis)
    let title = x.title
    let wide = TextMetrics.width(title, .axisTitle)
    let end = min(ChartPage.width - ChartPage.margin, max(box.right, ChartPage.margin + wide))
    svg.label(title, at: ChartPoint(end, box.bottom + 34), .axisTitle.anchored(.end))
    return box.bottom + (title.isEmpty ? 22 : 40)
  }

  private func drawHorizontalLines(in svg: inout SVGBuilder) {
    for tick in y.ticks {
      svg.line(ChartPoint(box.left, tick.position), ChartPoint(box.right, tick.position), Stroke.grid)
      svg.label(tick.label, at: ChartPoint(box.left - 6, tick.position + 4), .tick.anchored(.end))
    }
  }

  private func drawVerticalLines(in svg: inout SVGBuilder) {
    for tick in x.ticks {
      svg.line(ChartPoint(tick.position, box.top), ChartPoint(tick.position, box.bottom), Stroke.grid)
      svg.label(tick.label, at: ChartPoint(tick.labelPosition, box.bottom + 17), .tick.anchored(.middle))
    }
  }
}
