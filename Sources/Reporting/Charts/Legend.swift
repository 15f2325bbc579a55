/// Names of series in rows above the plot, each with a sample of how it is drawn.
struct Legend {
  struct Entry {
    enum Sample { case line, area, point }
    var name: String
    /// Which colour, dash and marker.
    var series: Int
    var sample: Sample
  }

  private struct Place {
    var entry: Entry
    var left: Double
    var row: Int
    var text: String
  }

  static let rowHeight = 18.0
  private static let sampleWidth = 26.0
  private let places: [Place]

  /// Entries from left to right, in as many rows as they need.
  init(_ entries: [Entry], left: Double, width: Double) {
    var places: [Place] = []
    var x = 0.0
    var row = 0
    for entry in entries where !entry.name.isEmpty {
      let text = TextMetrics.fitted(entry.name, width: width - Self.sampleWidth - 2, .legend)
      let needed = Self.sampleWidth + TextMetrics.width(text, .legend)
      if x > 0, x + needed > width {
        x = 0
        row += 1
      }
      places.append(Place(entry: entry, left: left + x, row: row, text: text))
      x += needed + 16
    }
    self.places = places
  }

  var height: Double { places.last.map { Double($0.row + 1) * Self.rowHeight + 4 } ?? 0 }

  func draw(top: Double, in svg: inout SVGBuilder) {
    for place in places {
      let baseline = top + Double(place.row) * Self.rowHeight + 13
      svg.group("g", [("class", ChartTheme.className(place.entry.series))]) { svg in
        Self.draw(place.entry, at: ChartPoint(place.left, baseline - 4), in: &svg)
      }
      svg.label(place.text, at: ChartPoint(place.left + Self.sampleWidth, baseline), .legend)
    }
  }

  private static func draw(_ entry: Entry, at point: ChartPoint, in svg: inout SVGBuilder) {
    switch entry.sample {
    case .line:
      svg.line(point, ChartPoint(point.x + 20, point.y), Stroke.series(entry.series))
      Marker(series: entry.series).draw(at: ChartPoint(point.x + 10, point.y), radius: 3.2, in: &svg)
    case .area:
      let box = ChartBox(left: point.x + 6, top: point.y - 6, width: 13, height: 12)
      svg.rectangle(box, [("fill", "currentColor")])
    case .point:
      Marker(series: entry.series).draw(at: ChartPoint(point.x + 12, point.y), radius: 4, in: &svg)
    }
  }
}
