/// Writes tables for documents: GitHub's Markdown, numbers as for people.
package enum MarkdownRenderer {
  package static func rows(_ table: ResultTable) -> String {
    let header = table.columns.map(\.heading)
    let rule = table.columns.indices.map { isNumeric(table, $0) ? "---:" : "---" }
    let rows = table.rows.map { row in zip(row, table.columns).map { escaped($0.text(style: $1.style)) } }
    return ([header, rule] + rows).map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n") + "\n"
  }

  private static func isNumeric(_ table: ResultTable, _ column: Int) -> Bool {
    table.rows.contains { row in
      if case .text = row[column] { false } else { row[column] != .missing }
    }
  }

  private static func escaped(_ text: String) -> String {
    text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
  }
}
