/// Lines over two axes, with bands or bars of uncertainty.
///
/// Values that an axis has no place for are left out; the line has a gap there, and a note says how many.
package struct LineChart: Sendable {
  package struct Point: Sendable {
    package var x: Double
    package var y: Double
    /// Where the true value is believed to lie.
    package var interval: ClosedRange<Double>?

    package init(_ x: Double, _ y: Double, interval: ClosedRange<Double>? = nil) {
      self.x = x
      self.y = y
      self.interval = interval
    }
  }

  package enum Uncertainty: Sendable { case band, bars }
  /// How a line goes from one point to the next: straight, or level and then upright.
  package enum Path: Sendable { case straight, steps }

  package struct Series: Sendable {
    package var name: String
    package var points: [Point]
    package var uncertainty: Uncertainty
    package var path: Path

    /// - Parameter points: In the order in which the line passes them.
    package init(_ name: String, _ points: [Point], uncertainty: Uncertainty = .band, path: Path = .straight) {
      self.name = name
      self.points = points
      self.uncertainty = uncertainty
      self.path = path
    }
  }

  package var header: ChartHeader
  package var x: Axis
  package var y: Axis
  package var series: [Series]
  /// What the notes call points that cannot be drawn, and further remarks.
  package var notes: [String]

  package init(_ header: ChartHeader, x: Axis, y: Axis, series: [Series], notes: [String] = []) {
    self.header = header
    self.x = x
    self.y = y
    self.series = series
    self.notes = notes
  }

  /// The drawing, as one `svg` element.
  /// - Complexity: O(points).
  package func svg() -> String {
    let page = ChartPage(header: header, summary: summary, notes: notes + omissions.notes + emptyNote)
    return page.draw { svg, top in
      let frame = PlotFrame(layout(names: endLabels.isEmpty), top: top)
      let bottom = frame.draw(in: &svg)
      // Bands first, so that no line lies under another's band.
      for index in series.indices { draw(index, in: frame, &svg) { drawUncertainty($0, in: frame, &$1) } }
      for index in series.indices { draw(index, in: frame, &svg) { drawLine($0, in: frame, &$1) } }
      drawEndLabels(in: frame, &svg)
      return bottom
    }
  }

  // MARK: Data

  private func shown(_ point: Point) -> Bool { x.accepts(point.x) && y.accepts(point.y) }

  private var shownPoints: [Point] { series.flatMap { $0.points.filter(shown) } }

  private var omissions: Omissions {
    var omissions = Omissions()
    for point in series.flatMap(\.points) where !shown(point) {
      omissions.add(x.accepts(point.x) ? Omissions.reason(y, point.y) : Omissions.reason(x, point.x))
    }
    return omissions
  }

  private var emptyNote: [String] { shownPoints.isEmpty ? ["There is nothing to show."] : [] }

  private var summary: String {
    let names = series.map(\.name).filter { !$0.isEmpty }.joined(separator: ", ")
    return "Line chart of \(y.title) over \(x.title)" + (names.isEmpty ? "." : ": \(names).")
  }

  private func layout(names inLegend: Bool) -> PlotFrame.Layout {
    let points = shownPoints
    let heights = points.flatMap { [$0.y] + ($0.interval.map { [$0.lowerBound, $0.upperBound] } ?? []) }
    var layout = PlotFrame.Layout(
      x: x, y: y, xDomain: x.domain(of: points.map(\.x), steps: 6), yDomain: y.domain(of: heights, steps: 6))
    if inLegend {
      let named = series.indices.filter { !series[$0].name.isEmpty }
      layout.legend = named.map { Legend.Entry(name: series[$0].name, series: $0, sample: .line) }
    } else {
      layout.rightLabels = 10 + (endLabels.map { TextMetrics.width($0.name, .legend) }.max() ?? 0)
    }
    return layout
  }

  // MARK: Names at the ends of lines

  private struct EndLabel {
    var name: String
    var series: Int
    var last: Point
  }

  /// Names right of the last points, when all lines end at the right edge, are few, and are named shortly.
  private var endLabels: [EndLabel] {
    guard (1...5).contains(series.count) else { return [] }
    let labels = series.indices.compactMap { index in
      series[index].points.last.map { EndLabel(name: series[index].name, series: index, last: $0) }
    }
    let domain = x.domain(of: shownPoints.map(\.x), steps: 6)
    let across = Scale(kind: x.kind, domain: domain, start: 0, end: 1)
    let fits = labels.allSatisfy { label in
      !label.name.isEmpty && shown(label.last) && across.position(label.last.x) > 0.97
        && TextMetrics.width(label.name, .legend) <= ChartPage.width / 4
    }
    return fits && labels.count == series.count ? labels : []
  }

  private func drawEndLabels(in frame: PlotFrame, _ svg: inout SVGBuilder) {
    let labels = endLabels.sorted { ($1.last.y, $0.series) < ($0.last.y, $1.series) }
    let wanted = labels.map { frame.y.scale.position($0.last.y) + 4 }
    let range = frame.box.top + 8...frame.box.bottom + 2
    for (label, y) in zip(labels, Spread.apart(wanted, by: 15, within: range)) {
      svg.group("g", [("class", ChartTheme.className(label.series))]) { svg in
        let end = ChartPoint(frame.box.right + 5, y - 4)
        let point = frame.place(label.last.x, label.last.y)
        if abs(end.y - point.y) > 3 { svg.line(point, end, [("stroke", "currentColor"), ("stroke-width", "0.8")]) }
      }
      svg.label(label.name, at: ChartPoint(frame.box.right + 9, y), .legend)
    }
  }

  // MARK: Lines

  /// Draws runs of neighbouring points that can be shown, in the colour of their series.
  private func draw(
    _ index: Int, in frame: PlotFrame, _ svg: inout SVGBuilder, _ content: (Run, inout SVGBuilder) -> Void
  ) {
    let runs = series[index].points.split(whereSeparator: { !shown($0) }).map { Run(series: index, points: Array($0)) }
    guard !runs.isEmpty else { return }
    svg.group("g", [("class", ChartTheme.className(index))]) { svg in
      for run in runs { content(run, &svg) }
    }
  }

  private struct Run {
    var series: Int
    var points: [Point]
  }

  private func drawLine(_ run: Run, in frame: PlotFrame, _ svg: inout SVGBuilder) {
    let places = run.points.map { frame.place($0.x, $0.y) }
    let path = series[run.series].path == .steps ? Self.steps(places) : places
    if path.count > 1 { svg.polyline(path, Stroke.series(run.series)) }
    let total = series[run.series].points.count
    let every = total <= 40 ? 1 : total / 8
    // Lines of many points begin their markers at different places, so that close ones do not hide each other.
    let first = every == 1 ? 0 : min(places.count - 1, run.series * every / max(1, series.count) + every / 4)
    for index in stride(from: first, to: places.count, by: every) {
      let point = run.points[index]
      let text = "\(series[run.series].name) \(x.unit.text(point.x)): \(y.unit.text(point.y))"
      Marker(series: run.series).draw(at: places[index], radius: 3.4, in: &svg, title: text)
    }
  }

  private static func steps(_ places: [ChartPoint]) -> [ChartPoint] {
    zip(places, places.dropFirst()).reduce(into: Array(places.prefix(1))) { path, pair in
      path += [ChartPoint(pair.1.x, pair.0.y), pair.1]
    }
  }

  private func drawUncertainty(_ run: Run, in frame: PlotFrame, _ svg: inout SVGBuilder) {
    let bounded = run.points.compactMap { point in point.interval.map { (point.x, clamped($0, to: frame)) } }
    guard !bounded.isEmpty else { return }
    switch series[run.series].uncertainty {
    case .band:
      let high = bounded.map { frame.place($0.0, $0.1.upperBound) }
      let low = bounded.map { frame.place($0.0, $0.1.lowerBound) }
      svg.polygon(high + low.reversed(), [("fill", "currentColor"), ("fill-opacity", "0.16")])
    case .bars:
      for (x, interval) in bounded {
        Self.drawBar(frame.place(x, interval.upperBound), frame.place(x, interval.lowerBound), in: &svg)
      }
    }
  }

  /// The part of an interval that the axis can show.
  private func clamped(_ interval: ClosedRange<Double>, to frame: PlotFrame) -> ClosedRange<Double> {
    interval.clamped(to: frame.y.scale.domain)
  }

  private static func drawBar(_ high: ChartPoint, _ low: ChartPoint, in svg: inout SVGBuilder) {
    svg.line(high, low, Stroke.whisker)
    for end in [high, low] { svg.line(ChartPoint(end.x - 4, end.y), ChartPoint(end.x + 4, end.y), Stroke.whisker) }
  }
}
