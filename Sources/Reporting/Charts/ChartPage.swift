/// The sheet every chart is drawn on: title above, notes below, the plot between them.
///
/// The drawing is 480 units wide and as high as it needs; twelve-unit text stays readable on a phone. It has no size
/// of its own but fills the page's width up to 640 pixels.
struct ChartPage {
  static let width = 480.0
  static let margin = 12.0
  static var inner: Double { width - 2 * margin }

  let header: ChartHeader
  /// Which kind of chart over what, for the description.
  let summary: String
  /// Lines under the plot: what was left out, and why.
  let notes: [String]

  /// Draws the sheet around a plot.
  /// - Parameters:
  ///   - plot: Draws below a given height and returns the height at which it ended.
  func draw(_ plot: (inout SVGBuilder, Double) -> Double) -> String {
    var body = SVGBuilder()
    let top = drawHeader(in: &body)
    var bottom = plot(&body, top)
    bottom = drawNotes(top: bottom, in: &body)
    return enclosed(body, height: (bottom + Self.margin).rounded(.up))
  }

  private func drawHeader(in svg: inout SVGBuilder) -> Double {
    var y = Self.margin
    for line in TextMetrics.lines(header.title, width: Self.inner, .title) {
      y += 18
      svg.label(line, at: ChartPoint(Self.margin, y - 4), .title)
    }
    for line in TextMetrics.lines(header.subtitle, width: Self.inner, .subtitle) {
      y += 16
      svg.label(line, at: ChartPoint(Self.margin, y - 3), .subtitle)
    }
    return y + 6
  }

  private func drawNotes(top: Double, in svg: inout SVGBuilder) -> Double {
    var y = top
    for line in notes.flatMap({ TextMetrics.lines($0, width: Self.inner, .note) }) {
      y += 15
      svg.label(line, at: ChartPoint(Self.margin, y), .note)
    }
    return y
  }

  private func enclosed(_ body: SVGBuilder, height: Double) -> String {
    let (title, words) = (header.id + "-title", header.id + "-desc")
    let size = SVGBuilder.number(Self.width) + " " + SVGBuilder.number(height)
    let description = ([header.description.isEmpty ? summary : header.description] + notes).joined(separator: " ")
    var svg = SVGBuilder()
    svg.group(
      "svg",
      [
        ("xmlns", "http://www.w3.org/2000/svg"), ("viewBox", "0 0 " + size), ("class", "rl-chart"), ("role", "img"),
        ("aria-labelledby", title + " " + words),
      ]
    ) { svg in
      svg.element("title", [("id", title)], text: header.title)
      svg.element("desc", [("id", words)], text: description)
      svg.element("style", [], text: ChartTheme.styleSheet)
      svg.rectangle(ChartBox(left: 0, top: 0, width: Self.width, height: height), [("class", "rl-bg")])
      svg.append(body)
    }
    return svg.text
  }
}
