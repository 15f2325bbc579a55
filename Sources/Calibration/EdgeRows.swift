/// Tells rows at the edge of the sizes that a group of rows spans from those within.
struct EdgeRows {
  static let middle = "middle"
  private var ranges: [String: ShapeRange] = [:]
  private let group: (PreparedRun) -> String

  init(_ rows: [PreparedRun], group: @escaping (PreparedRun) -> String) {
    self.group = group
    for (name, members) in FoldedFit.grouped(rows, by: group) { ranges[name] = ShapeRange(members) }
  }

  func part(_ row: PreparedRun) -> String {
    guard let range = ranges[group(row)] else { return Self.middle }
    let run = row.run
    let atEdge =
      isLast(run.batch.sequences, range.batch) || isLast(run.batch.inputTokens, range.input)
      || isLast(run.batch.outputTokens, range.output)
    return atEdge ? "edge" : Self.middle
  }

  private func isLast(_ value: Int, _ range: ClosedRange<Int>) -> Bool {
    value == range.upperBound && range.count > 1
  }
}
