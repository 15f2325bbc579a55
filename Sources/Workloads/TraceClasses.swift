import Documents
import Quantities

/// The classes of a CSV trace: one for every combination of the columns that describe a class.
///
/// They are collected in a pass of their own before the first request, so that all are known when a run begins.
struct TraceClasses {
  private struct Columns {
    var names: [Int]
    var tenant: Int?
    var weight: Int?
    var priority: Int?
    var timeout: Int?
    var firstToken: Int?
    var perToken: Int?
    var endToEnd: Int?

    var all: [Int] {
      names + [tenant, weight, priority, timeout, firstToken, perToken, endToEnd].compactMap { $0 }
    }
  }

  private let columns: Columns
  private let relevant: [Int]
  private var indices: [[UInt8]: UInt16] = [:]
  private(set) var list: [RequestClass] = []

  /// - Returns: Nothing when the trace has no column that describes a class.
  init?(_ csv: CSVReader, layout: CSVTrace.Layout) {
    func place(_ name: String) -> Int? { csv.header.firstIndex(of: name) }
    if layout == .burstGPT {
      columns = Columns(names: ["Model", "Log Type"].compactMap(place))
    } else if layout == .plain {
      columns = Columns(
        names: [place("class") ?? place("tenant")].compactMap { $0 }, tenant: place("tenant"), weight: place("weight"),
        priority: place("priority"), timeout: place("timeout_s"), firstToken: place("ttft_objective_s"),
        perToken: place("tpot_objective_s"), endToEnd: place("e2e_objective_s"))
    } else {
      return nil
    }
    relevant = columns.all
    if relevant.isEmpty { return nil }
  }

  /// The columns of Ridgeline's own format that it knows besides the three it needs.
  static let plainColumns = [
    "class", "tenant", "weight", "priority", "timeout_s", "ttft_objective_s", "tpot_objective_s", "e2e_objective_s",
    "session", "adapter", "samples", "patience_s",
  ]

  /// Collects the classes of all rows.
  mutating func collect(_ csv: CSVReader) throws {
    while try csv.next() {
      let key = key(csv)
      guard indices[key] == nil else { continue }
      guard list.count < TrafficFileReader.mostClasses else {
        throw DataError(
          file: csv.file, line: csv.line,
          problem: "brings class \(list.count + 1), expected at most \(TrafficFileReader.mostClasses) combinations of "
            + relevant.map { csv.header[$0] }.joined(separator: ", "))
      }
      let new = try requestClass(csv)
      if let weight = columns.weight,
        let other = list.first(where: { $0.tenant == new.tenant && $0.weight != new.weight })
      {
        throw csv.error(weight, "gives tenant \(shown(new.tenant)) another weight than before, \(other.weight)")
      }
      indices[key] = UInt16(list.count)
      list.append(new)
    }
  }

  /// The class of the current row.
  func index(_ csv: CSVReader) throws -> UInt16 {
    guard let index = indices[key(csv)] else {
      throw DataError(file: csv.file, line: csv.line, problem: "has a class that was not there a moment ago")
    }
    return index
  }

  private func key(_ csv: CSVReader) -> [UInt8] {
    var key: [UInt8] = []
    for column in relevant {
      csv.withBytes(column) { key.append(contentsOf: $0) }
      key.append(0)  // no field contains it
    }
    return key
  }

  private func requestClass(_ csv: CSVReader) throws -> RequestClass {
    let name = try columns.names.map(csv.text).filter { !$0.isEmpty }.joined(separator: ", ")
    return RequestClass(
      name: unused(name.isEmpty ? "all" : name),
      tenant: try columns.tenant.map(csv.text).flatMap { $0.isEmpty ? nil : $0 },
      weight: try number(csv, columns.weight, in: 1e-6...1e6) ?? 1,
      priority: try columns.priority.flatMap { csv.isEmpty($0) ? nil : try priority(csv, $0) } ?? 0,
      objective: ServiceObjective(
        timeToFirstToken: try seconds(csv, columns.firstToken), timePerOutputToken: try seconds(csv, columns.perToken),
        endToEnd: try seconds(csv, columns.endToEnd)),
      timeout: try seconds(csv, columns.timeout))
  }

  /// A name that no class has yet: classes may differ in other columns only.
  private func unused(_ name: String) -> String {
    guard list.contains(where: { $0.name == name }) else { return name }
    var number = 2
    while list.contains(where: { $0.name == "\(name) #\(number)" }) { number += 1 }
    return "\(name) #\(number)"
  }

  private func priority(_ csv: CSVReader, _ column: Int) throws -> Int {
    try csv.int(column, in: -1_000_000...1_000_000)
  }

  private func number(_ csv: CSVReader, _ column: Int?, in range: ClosedRange<Double>) throws -> Double? {
    guard let column, !csv.isEmpty(column) else { return nil }
    return try csv.double(column, in: range)
  }

  private func seconds(_ csv: CSVReader, _ column: Int?) throws -> Seconds? {
    try number(csv, column, in: 1e-9...1e9).map { Seconds($0) }
  }
}
