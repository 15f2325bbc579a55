/// Draws tables for people: aligned columns, numbers to the right.
package enum TableRenderer {
  /// One line a row under a header and a rule.
  package static func rows(_ table: ResultTable) -> String {
    let texts = table.rows.map { row in zip(row, table.columns).map { $0.text(style: $1.style) } }
    let widths = table.columns.indices.map { column in
      max(table.columns[column].heading.count, texts.map { $0[column].count }.max() ?? 0)
    }
    let rightAligned = table.columns.indices.map { column in
      table.rows.contains { row in
        if case .text = row[column] { false } else { row[column] != .missing }
      }
    }
    func line(_ cells: [String]) -> String {
      let padded = cells.indices.map { pad(cells[$0], widths[$0], right: rightAligned[$0]) }
      return trimmed(padded.joined(separator: "  "))
    }
    let header = line(table.columns.map(\.heading))
    let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
    return ([header, rule] + texts.map(line)).joined(separator: "\n") + "\n"
  }

  /// One row turned on its side: a heading and a value a line.
  package static func card(_ table: ResultTable) -> String {
    guard let row = table.rows.first else { return "" }
    let width = table.columns.map(\.heading.count).max() ?? 0
    return zip(table.columns, row).map { column, cell in
      trimmed("  " + pad(column.heading, width, right: false) + "  " + cell.text(style: column.style))
    }.joined(separator: "\n") + "\n"
  }

  private static func pad(_ text: String, _ width: Int, right: Bool) -> String {
    let space = String(repeating: " ", count: max(0, width - text.count))
    return right ? space + text : text + space
  }

  private static func trimmed(_ line: String) -> String {
    var line = line
    while line.hasSuffix(" ") { line.removeLast() }
    return line
  }
}
