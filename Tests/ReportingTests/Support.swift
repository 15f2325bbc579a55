@testable import Reporting

/// A table of three columns and whatever rows.
func table(_ rows: [[ResultTable.Cell]]) -> ResultTable {
  var table = ResultTable(columns: [
    .init("model"), .init("batch_size", heading: "batch"), .init("ttft_s", heading: "TTFT", style: .time),
  ])
  for row in rows { table.append(row) }
  return table
}
