/// Points over two axes; predicted against measured, with the line where both are equal.
package struct ScatterChart: Sendable {
  package struct Point: Sendable {
    package var x: Double
    package var y: Double
    /// What the point is, shown under the pointer; empty for none.
    package var label: String

    package init(_ x: Double, _ y: Double, label: String = "") {
      self.x = x
      self.y = y
      self.label = label
    }
  }

  package struct Series: Sendable {
    package var name: String
    package var points: [Point]

    package init(_ name: String, _ points: [Point]) {
      self.name = name
      self.points = points
    }
  }

  package enum Reference: Sendable {
    case none
    /// The line y = x and a band of this share of x about it. Both axes then are of x's kind and show the same range.
    case identity(band: Double)
    /// Limits that points lie under: corners of each, from left to right.
    case roofs([[ChartPoint]])
  }

  package let header: ChartHeader
  package let x: Axis
  package private(set) var y: Axis
  package var series: [Series]
  package let reference: Reference
  package var notes: [String]

  package init(
    _ header: ChartHeader, x: Axis, y: Axis, series: [Series], reference: Reference = .none, notes: [String] = []
  ) {
    self.header = header
    self.x = x
    self.y = y
    self.series = series
    self.reference = reference
    self.notes = notes
    if case .identity = reference {
      self.y.kind = x.kind
      self.y.covering = x.covering
    }
  }

  /// The drawing, as one `svg` element.
  /// - Complexity: O(points).
  package func svg() -> String {
    let page = ChartPage(header: header, summary: summary, notes: notes + remarks)
    return page.draw { svg, top in
      let frame = PlotFrame(layout, top: top)
      let bottom = frame.draw(in: &svg)
      drawReference(in: frame, &svg)
      for index in series.indices { drawPoints(index, in: frame, &svg) }
      return bottom
    }
  }

  private func shown(_ point: Point) -> Bool { x.accepts(point.x) && y.accepts(point.y) }

  private var summary: String {
    let names = series.map(\.name).filter { !$0.isEmpty }.joined(separator: ", ")
    return "Scatter chart of \(y.title) against \(x.title)" + (names.isEmpty ? "." : ": \(names).")
  }

  /// What lies in the band, and what was left out.
  private var remarks: [String] {
    var omissions = Omissions()
    for point in series.flatMap(\.points) where !shown(point) {
      omissions.add(x.accepts(point.x) ? Omissions.reason(y, point.y) : Omissions.reason(x, point.x))
    }
    let points = series.flatMap(\.points).filter(shown)
    guard !points.isEmpty else { return omissions.notes + ["There is nothing to show."] }
    guard case .identity(let band) = reference else { return omissions.notes }
    let inside = points.filter { abs($0.y - $0.x) <= band * abs($0.x) }.count
    let share = "\(groupedDigits(inside)) of \(groupedDigits(points.count)) points"
    return ["\(share) lie within \(AxisUnit.percent.text(band)) of the line where both are equal."] + omissions.notes
  }

  private var layout: PlotFrame.Layout {
    let points = series.flatMap(\.points).filter(shown)
    var (xs, ys) = (points.map(\.x), points.map(\.y))
    var square = false
    if case .identity = reference {
      (xs, ys) = (xs + ys, xs + ys)
      square = true
    }
    if case .roofs(let roofs) = reference {
      xs += roofs.flatMap { $0.map(\.x) }
      ys += roofs.flatMap { $0.map(\.y) }
    }
    var layout = PlotFrame.Layout(
      x: x, y: y, xDomain: x.domain(of: xs, steps: 6), yDomain: y.domain(of: ys, steps: 6), square: square)
    let named = series.indices.filter { !series[$0].name.isEmpty }
    layout.legend = named.map { Legend.Entry(name: series[$0].name, series: $0, sample: .point) }
    return layout
  }

  private func drawPoints(_ index: Int, in frame: PlotFrame, _ svg: inout SVGBuilder) {
    let points = series[index].points.filter(shown)
    let radius = points.count > 300 ? 2.2 : 3.2
    svg.group("g", [("class", ChartTheme.className(index)), ("fill-opacity", "0.75")]) { svg in
      for point in points {
        let text = "\(point.label): \(x.unit.text(point.x)), \(y.unit.text(point.y))"
        let place = frame.place(point.x, point.y)
        Marker(series: index).draw(at: place, radius: radius, in: &svg, title: point.label.isEmpty ? nil : text)
      }
    }
  }

  private func drawReference(in frame: PlotFrame, _ svg: inout SVGBuilder) {
    if case .roofs(let roofs) = reference {
      for roof in roofs where roof.allSatisfy({ x.accepts($0.x) && y.accepts($0.y) }) {
        svg.polyline(roof.map { frame.place($0.x, $0.y) }, Stroke.axis + [("fill", "none"), ("stroke-width", "1.5")])
      }
    }
    guard case .identity(let band) = reference else { return }
    let clip = header.id + "-clip"
    svg.group("clipPath", [("id", clip)]) { $0.rectangle(frame.box, []) }
    svg.group("g", [("clip-path", "url(#\(clip))")]) { svg in
      let low = max(frame.x.scale.domain.lowerBound, frame.y.scale.domain.lowerBound)
      let high = min(frame.x.scale.domain.upperBound, frame.y.scale.domain.upperBound)
      if (0..<1).contains(band), band > 0 {
        let corners = [(low, 1 + band), (high, 1 + band), (high, 1 - band), (low, 1 - band)]
        let places = corners.map { frame.place($0.0, $0.0 * $0.1) }
        svg.polygon(places, [("class", "rl-muted"), ("fill-opacity", "0.15")])
      }
      svg.line(frame.place(low, low), frame.place(high, high), Stroke.axis + [("stroke-width", "1.5")])
    }
  }
}
