import Reporting

/// A result in the forms the command can print.
struct ResultTableOutput {
  let table: ResultTable
  /// Before and after the rows, for people.
  var heading = ""
  var footing = ""

  init(_ table: ResultTable, heading: String = "", footing: String = "") {
    self.table = table
    self.heading = heading
    self.footing = footing
  }

  var text: String { heading + (table.rows.isEmpty ? "" : TableRenderer.rows(table)) + footing }
  var csv: String { MachineRenderer.csv(table) }
  var json: String { MachineRenderer.json(table) }
}
