import Foundation
import Testing

@testable import Reporting

@Suite struct ChartTests {
  private static let samples = Dictionary(uniqueKeysWithValues: ChartSamples.all.map { ($0.name, $0.svg) })
  private static let names = samples.keys.sorted()

  private func drawing(_ name: String) throws -> SVGDrawing {
    try read(try #require(Self.samples[name]))
  }

  private func read(_ svg: String) throws -> SVGDrawing {
    let drawing = SVGDrawing(svg)
    return try #require(drawing)
  }

  @Test(arguments: names) func `a chart looks as it did`(name: String) throws {
    let svg = try #require(Self.samples[name])
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Snapshots/\(name).svg")
    if ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] != nil {
      try svg.write(to: file, atomically: true, encoding: .utf8)
    }
    let recorded = try String(contentsOf: file, encoding: .utf8)
    #expect(svg == recorded, "RECORD_SNAPSHOTS=1 records the new drawing")
  }

  @Test(arguments: names) func `a chart is well-formed, named and described`(name: String) throws {
    let drawing = try drawing(name)
    let root = try #require(drawing.elements.first)
    #expect(root.name == "svg" && root.attributes["role"] == "img")
    #expect(root.attributes["width"] == nil && root.attributes["height"] == nil)
    let ids = Set(drawing.elements.compactMap { $0.attributes["id"] })
    let labels = try #require(root.attributes["aria-labelledby"]).split(separator: " ").map(String.init)
    #expect(labels.count == 2 && labels.allSatisfy(ids.contains))
    #expect(drawing.titles.first?.isEmpty == false && !drawing.summary.isEmpty)
  }

  @Test(arguments: names) func `a chart has no faults`(name: String) throws { checkFaults(try drawing(name)) }

  @Test(arguments: 0..<60) func `charts of anything have no faults`(seed: Int) throws {
    for svg in RandomCharts(seed: seed).all() { checkFaults(try read(svg)) }
  }

  private func checkFaults(_ drawing: SVGDrawing) {
    let faults = numberFaults(drawing) + textFaults(drawing)
    #expect(faults.isEmpty, "\(drawing.titles.first ?? "") \(drawing.summary)")
  }

  /// Numbers that are not finite or not short.
  private func numberFaults(_ drawing: SVGDrawing) -> [String] {
    let plain = Set(["x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "width", "height"])
    return drawing.elements.flatMap { element, attributes in
      let single = attributes.filter { plain.contains($0.key) }.values
      let listed = (attributes["points"] ?? "").split { " ,".contains($0) }.map(String.init)
      return (single + listed).filter { text in
        Double(text)?.isFinite != true || text.drop { $0 != "." }.count > 3
      }
    }
  }

  /// Texts that leave the drawing or lie on another.
  private func textFaults(_ drawing: SVGDrawing) -> [String] {
    drawing.texts.enumerated().flatMap { index, text in
      let outside =
        text.box.left < 0 || text.box.right > drawing.width || text.box.top < 0 || text.box.bottom > drawing.height
      let others = drawing.texts[(index + 1)...].filter { overlap(text.box, $0.box) }
      return (outside ? ["outside: \(text)"] : []) + others.map { "\(text) lies on \($0)" }
    }
  }

  private func overlap(_ a: ChartBox, _ b: ChartBox) -> Bool {
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
  }

  @Test func `values without a place on the axes are left out and counted by reason`() throws {
    let drawing = try drawing("line-log")
    #expect(drawing.summary.contains("Not shown: 2 values (not positive, on a logarithmic axis)."))
    #expect(drawing.summary.contains("Not shown: 1 value (not a finite number)."))
    #expect(drawing.texts.contains { $0.content.hasPrefix("Not shown: 2 values") })
  }

  @Test func `a title too long loses its end but not its unit`() throws {
    #expect(try drawing("long-texts").texts.contains { $0.content.hasSuffix("… (1e9)") })
  }

  @Test func `a line has a gap where a value is left out`() throws {
    func lines(_ points: [LineChart.Point]) throws -> Int {
      let chart = LineChart(ChartHeader("t"), x: Axis("x"), y: Axis("y"), series: [.init("s", points)])
      return try read(chart.svg()).count("polyline")
    }
    #expect(try lines((0..<6).map { .init(Double($0), 1) }) == 1)
    #expect(try lines((0..<6).map { .init(Double($0), $0 == 3 ? .nan : 1) }) == 2)
  }

  @Test func `a chart of nothing says so`() throws {
    #expect(try drawing("line-empty").texts.contains { $0.content == "There is nothing to show." })
    let none = [
      ScatterChart(ChartHeader("t"), x: Axis("x"), y: Axis("y"), series: [], reference: .identity(band: 0.1)).svg(),
      DistributionChart(ChartHeader("t"), x: Axis("x"), series: [.init("s", values: [])]).svg(),
      BarChart(ChartHeader("t"), axis: Axis("x"), bars: []).svg(),
      StackedBarChart(ChartHeader("t"), axis: Axis("x"), parts: [], bars: []).svg(),
      HeatMap(ChartHeader("t"), columns: ("c", []), rows: ("r", []), values: [], of: "v").svg(),
      TimelineChart(ChartHeader("t"), kinds: [], lanes: []).svg(),
    ]
    for svg in none {
      let drawing = try read(svg)
      #expect(drawing.texts.contains { $0.content == "There is nothing to show." })
    }
  }

  @Test func `one point is drawn as its marker, and in the legend`() throws {
    let drawing = try drawing("line-one-point")
    #expect(drawing.count("circle") == 2 && drawing.count("polyline") == 0)
  }

  @Test(arguments: [(3, true), (24, false)]) func `cells have numbers where all have room`(columns: Int, shown: Bool)
    throws
  {
    let values = [(0..<columns).map { Optional(1234.5 + Double($0)) }]
    let names = (0..<columns).map(String.init)
    let map = HeatMap(ChartHeader("t"), columns: ("c", names), rows: ("r", ["a"]), values: values, of: "v")
    let drawing = try read(map.svg())
    #expect(drawing.texts.count { $0.content == "1,235" } == (shown ? 2 : 1))
  }

  @Test func `markup in names stays text`() throws {
    let text = try #require(Self.samples["line-log"])
    #expect(text.contains("PCIe &amp; NVLink &lt;together&gt;"))
    #expect(try drawing("line-log").texts.contains { $0.content == "PCIe & NVLink <together>" })
    let hostile = BarChart(
      ChartHeader("</title><script>x</script>\u{0}\u{b}"), axis: Axis("]]>&"), bars: [.init("a\"b'c<d>", 1)])
    let drawing = try read(hostile.svg())
    #expect(drawing.count("script") == 0 && drawing.titles.contains { $0.hasPrefix("a\"b'c<d>: ") })
  }

  @Test func `points at the edge and a band around it lie where the scale says`() throws {
    let chart = ScatterChart(
      ChartHeader("t"), x: Axis("x"), y: Axis("y"), series: [.init("", [.init(1, 1), .init(4, 2), .init(10, 10.4)])],
      reference: .identity(band: 0.1))
    let drawing = try read(chart.svg())
    #expect(drawing.summary.contains("2 of 3 points lie within 10 % of the line where both are equal."))
    let circles = drawing.elements.filter { $0.name == "circle" }.map(\.attributes)
    // Both axes show the same range over the same length, so equal steps in value are equal steps on the sheet.
    let (x, y) = (circles.compactMap { Double($0["cx"] ?? "") }, circles.compactMap { Double($0["cy"] ?? "") })
    #expect(abs((x[2] - x[0]) * 9.4 / 9 + (y[2] - y[0])) < 0.05)
    #expect(abs((x[1] - x[0]) / 3 + (y[1] - y[0])) < 0.05)
  }

  @Test func `a distribution rises from nothing to all`() {
    let series = DistributionChart.Series("s", values: [3, 1, 2, 2, .infinity])
    #expect(series.steps.map(\.value) == [1, 2, 3])
    #expect(series.steps.map(\.share) == [0.25, 0.75, 1])
    #expect(series.omitted == 1)
  }

  @Test func `a distribution of many values has a bounded number of steps`() throws {
    let values = (0..<100_000).map { Double($0) }
    let chart = DistributionChart(ChartHeader("t"), x: Axis("x"), series: [.init("s", values: values)])
    #expect(chart.svg().utf8.count < 20_000)
  }

  @Test func `stacked parts add up to the bar`() throws {
    let chart = StackedBarChart(
      ChartHeader("t"), axis: Axis("x"), parts: ["a", "b", "c"], bars: [.init("r", [1, 2, 3]), .init("s", [6, 0, 0])])
    let drawing = try read(chart.svg())
    let widths = drawing.elements.filter { $0.attributes["class"] == "rl-halo" }.compactMap {
      Double($0.attributes["width"] ?? "")
    }
    #expect(widths.count == 4)
    #expect(abs(widths[0] + widths[1] + widths[2] - widths[3]) < 0.05 && abs(widths[1] - 2 * widths[0]) < 0.05)
  }

  @Test(arguments: 0..<200) func `labels of lines end apart and inside, in their order`(seed: Int) {
    let wanted = (0..<(1 + seed % 7)).map { Double((seed * 7919 + $0 * 104_729) % 200) }.sorted()
    let placed = Spread.apart(wanted, by: 15, within: 0...200)
    #expect(placed.count == wanted.count && placed.allSatisfy { $0 >= 0 && $0 <= 200 })
    #expect(zip(placed, placed.dropFirst()).allSatisfy { $1 - $0 >= 15 - 1e-9 })
    if zip(wanted, wanted.dropFirst()).allSatisfy({ $1 - $0 >= 15 }) { #expect(placed == wanted) }
  }

  @Test func `every colour stands out from its ground`() {
    func luminance(_ text: String) -> Double { Colour(Int(text.dropFirst(), radix: 16) ?? 0).luminance }
    func contrast(_ a: String, _ b: String) -> Double {
      let (a, b) = (luminance(a), luminance(b))
      return (max(a, b) + 0.05) / (min(a, b) + 0.05)
    }
    for ink in ChartTheme.series {
      #expect(contrast(ink.light, ChartTheme.background.light) >= 3)
      #expect(contrast(ink.dark, ChartTheme.background.dark) >= 3)
    }
    for ink in [ChartTheme.foreground, ChartTheme.muted] {
      #expect(contrast(ink.light, ChartTheme.background.light) >= 4.5)
      #expect(contrast(ink.dark, ChartTheme.background.dark) >= 4.5)
    }
  }

  @Test func `series differ in dash and marker for as long as there are colours, and in all three beyond`() {
    let looks = (0..<16).map { [ChartTheme.className($0), ChartTheme.dash($0), "\(Marker(series: $0))"] }
    #expect(Set(looks).count == 16)
    for column in 0..<3 { #expect(Set(looks.prefix(8).map { $0[column] }).count == 8) }
  }

  @Test func `the amount ramp grows lighter and the difference ramp is palest at its centre`() {
    let amount = ColourRamp(.amount, over: [0, 1])
    let lightness = stride(from: 0.0, through: 1, by: 0.05).map { amount.colour($0).luminance }
    #expect(zip(lightness, lightness.dropFirst()).allSatisfy { $0 < $1 })
    let difference = ColourRamp(.difference(from: 2), over: [1, 2.5])
    #expect(difference.domain == 1...3)
    #expect(difference.colour(2).luminance > difference.colour(1.5).luminance)
    #expect(difference.colour(2).luminance > difference.colour(2.5).luminance)
  }
}
