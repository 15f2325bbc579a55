import Quantities

/// Results as rows and columns, before anyone decides how they look.
///
/// Column names are stable and carry their unit (`ttft_s`, `energy_j`); numbers are in that unit.
package struct ResultTable: Sendable {
  package enum Cell: Sendable, Equatable {
    case text(String)
    case int(Int)
    case number(Double)
    /// No value: empty in CSV, null in JSON, a dash for people.
    case missing
  }

  package struct Column: Sendable {
    package var name: String
    /// Heading for people; the name when nothing better is given.
    package var heading: String
    /// How a number of this column reads for people.
    package var style: Style

    package init(_ name: String, heading: String? = nil, style: Style = .plain) {
      self.name = name
      self.heading = heading ?? name
      self.style = style
    }
  }

  /// How numbers are shown to people. Machines always get full precision in base units.
  package enum Style: Sendable {
    case plain
    case time, size, bandwidth, work, computeRate, power, energy, percent, rate, money, count, intensity
  }

  package var columns: [Column]
  package private(set) var rows: [[Cell]] = []

  package init(columns: [Column]) { self.columns = columns }

  /// - Precondition: One cell a column.
  package mutating func append(_ row: [Cell]) {
    precondition(row.count == columns.count, "a row needs one cell a column")
    rows.append(row)
  }
}

extension ResultTable.Cell {
  package init(_ value: Double?) {
    if let value, value.isFinite { self = .number(value) } else { self = .missing }
  }

  package init(_ value: Int?) { self = value.map(Self.int) ?? .missing }
  package init(_ value: String?) { self = value.map(Self.text) ?? .missing }
  package init<D>(_ quantity: Quantity<D>?) { self.init(quantity?.value) }

  /// The cell for people.
  package func text(style: ResultTable.Style) -> String {
    switch self {
    case .missing: "-"
    case .text(let text): text
    case .int(let number): style == .plain || style == .count ? groupedDigits(number) : Self.text(Double(number), style)
    case .number(let number): Self.text(number, style)
    }
  }

  private static func text(_ number: Double, _ style: ResultTable.Style) -> String {
    switch style {
    case .plain: roundedText(number, significantDigits: 4)
    case .count: count(number)
    case .time: duration(number)
    case .size: Bytes(number).description
    case .bandwidth: BytesPerSecond(number).description
    case .work: FLOPs(number).description
    case .computeRate: FLOPsPerSecond(number).description
    case .power: Watts(number).description
    case .energy: Joules(number).description
    case .intensity: roundedText(number, significantDigits: 3)
    case .percent: fixedText(number * 100, decimals: 1) + " %"
    case .rate: count(number) + "/s"
    case .money: fixedText(number, decimals: number < 1 ? 4 : 2) + " USD"
    }
  }
}

/// A count that may be a mean: four digits, or whole and grouped from a thousand on.
private func count(_ number: Double) -> String {
  guard abs(number) >= 1000, abs(number) < 1e15 else { return roundedText(number, significantDigits: 4) }
  return groupedDigits(Int(number.rounded()))
}

/// A time as people say it: minutes from two minutes on, hours from two hours on.
private func duration(_ seconds: Double) -> String {
  switch abs(seconds) {
  case ..<120: Seconds(seconds).description
  case ..<7200: roundedText(seconds / 60, significantDigits: 3) + " min"
  default: roundedText(seconds / 3600, significantDigits: 3) + " h"
  }
}

/// A whole number with its digits in groups of three.
package func groupedDigits(_ number: Int) -> String {
  var text = String(number.magnitude)
  var position = text.count - 3
  while position > 0 {
    text.insert(",", at: text.index(text.startIndex, offsetBy: position))
    position -= 3
  }
  return number < 0 ? "-" + text : text
}
