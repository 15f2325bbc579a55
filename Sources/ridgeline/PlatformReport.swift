import Documents
import Execution
import Quantities
import Reporting
import Studies

/// The report of `ridgeline platforms`: predicted, published and their ratio, with the conditions that were assumed.
struct PlatformReport {
  typealias Column = ResultTable.Column
  typealias Cell = ResultTable.Cell

  let runner: PlatformRunner
  let scenarios: [PlatformScenario]
  let rows: [PlatformRunner.Row]

  /// Columns in Documentation/columns.md.
  static func table(_ rows: [PlatformRunner.Row]) -> ResultTable {
    var table = ResultTable(columns: [
      Column("platform"), Column("case"), Column("plan"), Column("figure"), Column("to"), Column("predicted"),
      Column("published"), Column("ratio"), Column("source"), Column("note"),
    ])
    for row in rows {
      table.append([
        .text(row.platform), .text(row.item), .text(row.plan), .text(row.figure.rawValue), Cell(row.other),
        Cell(row.predicted), Cell(row.published), Cell(row.ratio), Cell(row.source.isEmpty ? nil : row.source),
        Cell(row.note),
      ])
    }
    return table
  }

  /// For people: figures in their units.
  static func shortTable(_ rows: [PlatformRunner.Row]) -> ResultTable {
    var table = ResultTable(columns: [
      Column("platform"), Column("case"), Column("plan"), Column("figure"), Column("predicted"), Column("published"),
      Column("ratio"),
    ])
    for row in rows {
      table.append([
        .text(row.platform), .text(row.item), .text(row.plan), .text(name(row)),
        .text(shown(row.predicted, row.figure)),
        .text(shown(row.published, row.figure)), .text(row.ratio.map { Cell.number($0).text(style: .plain) } ?? "-"),
      ])
    }
    return table
  }

  private static func name(_ row: PlatformRunner.Row) -> String {
    guard let other = row.other else { return row.figure.rawValue }
    return row.figure == .exposedShare ? "\(other) share of the step" : "\(row.figure.rawValue) to \(other)"
  }

  private static func shown(_ value: Double?, _ figure: PlatformScenario.Figure) -> String {
    guard let value else { return "-" }
    let style: ResultTable.Style
    switch figure {
    case .stepTime, .timeToFirstToken, .timePerToken, .endToEnd, .timeDifference: style = .time
    case .mainMemory: style = .size
    case .tokensPerSecond, .tokensPerSecondPerDevice: style = .rate
    case .exposedShare, .sustainedShare: style = .percent
    case .deviceBoundBatch: style = .plain
    case .throughputRatio, .timeRatio, .valueRatio, .deviceBoundRatio:
      return Cell.number(value).text(style: .plain) + " x"
    }
    return Cell.number(value).text(style: style)
  }

  // MARK: The folder

  func write(to folder: String) throws {
    try write(MachineRenderer.csv(Self.table(rows)), to: "\(folder)/platforms.csv")
    var text = Self.head
    text += MarkdownRenderer.rows(Self.shortTable(rows.filter { $0.published != nil })) + "\n" + summary
    text += "\n## The platforms\n"
    for scenario in scenarios { text += try section(scenario, folder) }
    try write(text, to: "\(folder)/README.md")
  }

  private static let head = """
    # Platforms of unlike devices

    Written by `make platforms`. Each platform is a file of `Workloads/Scenarios/Platforms`, where its conditions and
    assumptions stand with their sources. Ratios are predicted over published; nothing is fitted to these rows except
    where a plan's note says what a rate was derived from.


    """

  private var summary: String {
    let ratios = rows.compactMap(\.ratio).filter { $0 > 0 }
    func within(_ factor: Double) -> Int { ratios.filter { $0 <= factor && $0 >= 1 / factor }.count }
    return
      "\(ratios.count) figures: \(within(1.1)) within 10 %, \(within(1.25)) within 25 %, \(within(2)) within a factor "
      + "of 2.\n"
  }

  private func section(_ scenario: PlatformScenario, _ folder: String) throws -> String {
    var text = "\n### \(scenario.name)\n\n\(scenario.title).\n"
    if let notes = scenario.notes { text += "\n" + notes.split(separator: "\n").joined(separator: "\n") + "\n" }
    let own = rows.filter { $0.platform == scenario.name }
    text += "\n" + MarkdownRenderer.rows(Self.shortTable(own))
    for item in scenario.cases { if let note = item.note { text += "\n- \(item.name): \(note)" } }
    if scenario.cases.contains(where: { $0.note != nil }) { text += "\n" }
    if let drawn = try drawing(scenario, folder) { text += "\n![One step](\(drawn))\n" }
    return text
  }

  /// The first case that is one step, drawn.
  private func drawing(_ scenario: PlatformScenario, _ folder: String) throws -> String? {
    for item in scenario.cases {
      guard let schedule = try runner.outcome(item).schedule else { continue }
      let name = "\(scenario.name).svg"
      try ScheduleDrawing(schedule, title: "\(scenario.name): \(item.name)").write(to: "\(folder)/\(name)")
      return name
    }
    return nil
  }

  private func write(_ text: String, to path: String) throws {
    let file = try OutputFile(path: path)
    try file.write(text)
    try file.finish()
  }
}
