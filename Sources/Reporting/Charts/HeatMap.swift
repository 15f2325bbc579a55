/// A grid of coloured cells: one number for each pair of a row and a column.
package struct HeatMap: Sendable {
  package var header: ChartHeader
  package var columnTitle: String
  package var rowTitle: String
  package var columns: [String]
  package var rows: [String]
  /// One row of values for each row; nothing, or what the ramp cannot show, leaves the cell empty.
  package var values: [[Double?]]
  /// What the cells measure.
  package var valueTitle: String
  package var unit: AxisUnit
  package var ramp: ColourRamp.Kind
  package var notes: [String] = []

  /// - Precondition: One value for each row and column.
  package init(
    _ header: ChartHeader, columns: (title: String, names: [String]), rows: (title: String, names: [String]),
    values: [[Double?]], of valueTitle: String, unit: AxisUnit = .none, ramp: ColourRamp.Kind = .amount
  ) {
    precondition(
      values.count == rows.names.count && values.allSatisfy { $0.count == columns.names.count },
      "a heat map needs one value for each row and column")
    self.header = header
    (columnTitle, self.columns) = columns
    (rowTitle, self.rows) = rows
    self.values = values
    self.valueTitle = valueTitle
    self.unit = unit
    self.ramp = ramp
  }

  /// The drawing, as one `svg` element.
  /// - Complexity: O(cells).
  package func svg() -> String {
    let numbers = values.flatMap { $0.compactMap { $0 } }
    let ramp = ColourRamp(self.ramp, over: numbers)
    let summary = "Heat map of \(valueTitle) by \(rowTitle) and \(columnTitle)."
    return ChartPage(header: header, summary: summary, notes: notes + remarks(numbers)).draw { svg, top in
      let grid = Grid(self, top: top)
      drawLabels(of: grid, in: &svg)
      let inks = Inks(ramp: ramp, write: writing(numbers, in: grid))
      for row in rows.indices { for column in columns.indices { draw(row, column, of: grid, inks, &svg) } }
      return drawKey(ramp, top: grid.box.bottom + 46, in: &svg)
    }
  }

  private func remarks(_ numbers: [Double]) -> [String] {
    guard !numbers.isEmpty else { return ["There is nothing to show."] }
    var omissions = Omissions()
    let kind: Axis.Kind = ramp == .logarithmicAmount ? .logarithmic : .linear
    for number in numbers where !ColourRamp.accepts(number, ramp) {
      omissions.add(Omissions.reason(Axis("", kind: kind), number))
    }
    return omissions.notes
  }

  /// Where the cells lie.
  private struct Grid {
    let box: ChartBox
    let cellWidth: Double
    let cellHeight = 28.0
    let rowNames: [String]

    init(_ map: HeatMap, top: Double) {
      rowNames = map.rows.map { TextMetrics.fitted($0, width: ChartPage.inner * 0.35, .tick) }
      let names = rowNames.map { TextMetrics.width($0, .tick) }.max() ?? 0
      let left = ChartPage.margin + names + 8
      let width = ChartPage.width - ChartPage.margin - left
      box = ChartBox(left: left, top: top + 22, width: width, height: Double(max(1, map.rows.count)) * cellHeight)
      cellWidth = width / Double(max(1, map.columns.count))
    }

    func cell(_ row: Int, _ column: Int) -> ChartBox {
      ChartBox(
        left: box.left + Double(column) * cellWidth, top: box.top + Double(row) * cellHeight, width: cellWidth,
        height: cellHeight)
    }
  }

  private func drawLabels(of grid: Grid, in svg: inout SVGBuilder) {
    let title = TextMetrics.fitted(rowTitle, width: ChartPage.inner, .axisTitle)
    svg.label(title, at: ChartPoint(ChartPage.margin, grid.box.top - 8), .axisTitle)
    for row in rows.indices {
      let middle = grid.cell(row, 0).top + grid.cellHeight / 2
      svg.label(grid.rowNames[row], at: ChartPoint(grid.box.left - 8, middle + 4), .tick.anchored(.end))
    }
    let every = columnStride(grid)
    for column in columns.indices where column % every == 0 {
      let centre = grid.cell(0, column).left + grid.cellWidth / 2
      let room = min(grid.cellWidth * Double(every) - 6, 2 * (ChartPage.width - 4 - centre), 2 * (centre - 4))
      let name = TextMetrics.fitted(columns[column], width: room, .tick)
      svg.label(name, at: ChartPoint(centre, grid.box.bottom + 16), .tick.anchored(.middle))
    }
    let below = ChartPoint(ChartPage.width - ChartPage.margin, grid.box.bottom + 33)
    let name = TextMetrics.fitted(columnTitle, width: ChartPage.inner, .axisTitle)
    svg.label(name, at: below, .axisTitle.anchored(.end))
  }

  /// Every how many columns there is room for a name; a quarter of the names stay, cut where they must be.
  private func columnStride(_ grid: Grid) -> Int {
    let widest = columns.map { TextMetrics.width($0, .tick) }.max() ?? 0
    return max(1, min(Int(((widest + 6) / grid.cellWidth).rounded(.up)), max(1, columns.count / 4)))
  }

  /// How cells are filled and written on.
  private struct Inks {
    let ramp: ColourRamp
    let write: ((Double) -> String)?
  }

  private static func cellStyle(_ ink: TextStyle.Ink) -> TextStyle { TextStyle(size: 11, anchor: .middle, ink: ink) }

  /// Numbers in cells: with units where all fit, short where all fit, else none.
  private func writing(_ numbers: [Double], in grid: Grid) -> ((Double) -> String)? {
    let shown = numbers.filter { ColourRamp.accepts($0, ramp) }
    let writings: [(Double) -> String] = [{ unit.text($0) }, { unit.compact($0) }]
    return writings.first { write in
      shown.allSatisfy { TextMetrics.width(write($0), Self.cellStyle(.black)) <= grid.cellWidth - 4 }
    }
  }

  private func draw(_ row: Int, _ column: Int, of grid: Grid, _ inks: Inks, _ svg: inout SVGBuilder) {
    let cell = grid.cell(row, column)
    let place = "\(rows[row]), \(columns[column])"
    guard let value = values[row][column], ColourRamp.accepts(value, self.ramp) else {
      return svg.rectangle(cell, [("fill", "none"), ("class", "rl-grid")], title: "\(place): no value")
    }
    let colour = inks.ramp.colour(value)
    let text = unit.text(value)
    svg.rectangle(cell, [("fill", colour.text), ("class", "rl-halo")], title: "\(place): \(text)")
    let style = Self.cellStyle(colour.ink)
    if let write = inks.write {
      svg.label(write(value), at: ChartPoint(cell.left + cell.width / 2, cell.top + cell.height / 2 + 4), style)
    }
  }

  /// The ramp with its ends and middle.
  private func drawKey(_ ramp: ColourRamp, top: Double, in svg: inout SVGBuilder) -> Double {
    let format = TickFormat(logarithmic: unit)
    let title = ScaledAxis.title(valueTitle, unit: format.titleUnit)
    svg.label(title, at: ChartPoint(ChartPage.margin, top + 12), .axisTitle)
    let box = ChartBox(left: ChartPage.margin, top: top + 18, width: ChartPage.inner, height: 10)
    let parts = 48
    for part in 0..<parts {
      let width = box.width / Double(parts)
      let colour = ramp.colour(ramp.value(at: (Double(part) + 0.5) / Double(parts)))
      // Half a unit of overlap, so that no seam shows.
      let left = box.left + Double(part) * width
      let slice = ChartBox(left: left, top: box.top, width: min(width + 0.5, box.right - left), height: box.height)
      svg.rectangle(slice, [("fill", colour.text)])
    }
    for (share, anchor) in [(0, TextStyle.Anchor.start), (0.5, .middle), (1, .end)] {
      let point = ChartPoint(box.left + share * box.width, box.bottom + 14)
      svg.label(format.text(ramp.value(at: share)), at: point, .tick.anchored(anchor))
    }
    return box.bottom + 18
  }
}
