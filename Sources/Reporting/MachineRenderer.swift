import Quantities

/// Writes tables for machines: CSV (RFC 4180) and JSON, full precision, one record a row.
package enum MachineRenderer {
  package static func csv(_ table: ResultTable) -> String {
    csvHeader(table) + table.rows.map(csvLine).joined()
  }

  package static func csvHeader(_ table: ResultTable) -> String {
    table.columns.map { quoted($0.name) }.joined(separator: ",") + "\n"
  }

  package static func csvLine(_ row: [ResultTable.Cell]) -> String {
    row.map(csvField).joined(separator: ",") + "\n"
  }

  /// One field of a CSV record.
  package static func csvField(_ cell: ResultTable.Cell) -> String {
    switch cell {
    case .missing: ""
    case .text(let text): quoted(text)
    case .int(let number): String(number)
    case .number(let number): "\(number)"
    }
  }

  /// A text as a CSV field, in quotes where it needs them.
  package static func quoted(_ text: String) -> String {
    let special = text.utf8.contains { byte in
      byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\n")
        || byte == UInt8(ascii: "\r")
    }
    guard special else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }

  /// An array of objects, keys in column order.
  package static func json(_ table: ResultTable) -> String {
    let records = table.rows.map { "  " + jsonObject(table.columns.map(\.name), $0) }
    return records.isEmpty ? "[]\n" : "[\n" + records.joined(separator: ",\n") + "\n]\n"
  }

  /// One JSON object on one line.
  package static func jsonObject(_ names: [String], _ row: [ResultTable.Cell]) -> String {
    "{" + zip(names, row).map { "\(jsonText($0)): \(jsonValue($1))" }.joined(separator: ", ") + "}"
  }

  private static func jsonValue(_ cell: ResultTable.Cell) -> String {
    switch cell {
    case .missing: "null"
    case .text(let text): jsonText(text)
    case .int(let number): String(number)
    case .number(let number): "\(number)"
    }
  }
}

/// A text as JSON, in quotes.
func jsonText(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case "\r": result += "\\r"
    case _ where scalar.value < 0x20:
      let hex = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
