import Reporting

/// Two stored runs side by side.
package struct RunDifference: Sendable {
  package let first: StoredRun
  package let second: StoredRun
  private let metrics: ([StoredMetric], [StoredMetric])

  package init(_ first: StoredRun, _ second: StoredRun, in store: Store) throws {
    self.first = first
    self.second = second
    metrics = (try store.metrics(of: first.id), try store.metrics(of: second.id))
  }

  /// What differs in how they were made: name, first, second.
  package var origins: [(what: String, first: String, second: String)] {
    let pairs: [(String, String, String)] = [
      ("kind", first.kind, second.kind), ("name", first.name, second.name),
      ("scenario", first.scenario, second.scenario), ("tool version", first.toolVersion, second.toolVersion),
      ("data files", first.dataHash, second.dataHash), ("calibrations", first.calibrations, second.calibrations),
      ("seed", first.seed.map(String.init) ?? "-", second.seed.map(String.init) ?? "-"),
      ("host", first.host, second.host),
    ]
    return pairs.filter { $0.1 != $0.2 }.map { (what: $0.0, first: $0.1, second: $0.2) }
  }

  /// One row for each metric of either.
  package var table: ResultTable {
    var table = ResultTable(columns: [
      .init("metric"), .init("first"), .init("second"), .init("difference"),
      .init("relative_difference", style: .percent),
    ])
    let names = Set(metrics.0.map(\.metric)).union(metrics.1.map(\.metric)).sorted()
    for name in names {
      let values = [metrics.0, metrics.1].map { list in list.first { $0.metric == name }?.value }
      var difference: Double?
      if let old = values[0], let new = values[1] { difference = new - old }
      let relative = difference.flatMap { change in values[0].flatMap { $0 == 0 ? nil : change / $0 } }
      table.append([.text(name), .init(values[0]), .init(values[1]), .init(difference), .init(relative)])
    }
    return table
  }
}
