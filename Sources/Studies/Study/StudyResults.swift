import Statistics

/// What a study found: capacities, and the metrics of every run.
package struct StudyResults: Sendable {
  package let study: Study
  /// Requests a second at which the goal was still met, by page and value; nothing where none did or none was searched.
  private(set) var capacities: [[Double?]]
  /// By page, value, load and replication.
  private(set) var runs: [[[[StudyRun]]]]

  package static let confidence = 0.95

  /// A metric of one value at one load of one page.
  package struct Estimate: Sendable {
    package var value: Double
    /// Nothing with fewer than two replications.
    package var interval: Interval?
    /// From the reference, run by run on the same arrivals.
    package var difference: Interval?
    /// In how many replications requests piled up.
    package var saturated: Int
  }

  /// The rate that the loads of a page are shares of.
  package func referenceRate(_ page: Int) -> Double { capacities[page][0] ?? 0 }

  /// - Returns: Nothing where a replication has no such metric.
  package func estimate(_ metric: RunMetric, page: Int, value: Int, load: Int) -> Estimate? {
    let runs = runs[page][value][load]
    let values = runs.compactMap { $0[metric] }
    guard values.count == runs.count, !values.isEmpty else { return nil }
    let first = self.runs[page][0][load].map { $0[metric] }
    let differences = zip(runs, first).compactMap { run, first in
      first.flatMap { first in run[metric].map { $0 - first } }
    }
    return Estimate(
      value: values.reduce(0, +) / Double(values.count),
      interval: Interval.student(values, confidence: Self.confidence),
      difference: value == 0 ? nil : Interval.student(differences, confidence: Self.confidence),
      saturated: runs.count { $0.isSaturated })
  }
}

/// The metrics of one run.
package struct StudyRun: Sendable {
  private let values: [Double?]
  package let isSaturated: Bool
  package let rate: Double

  static let width = RunMetric.allCases.count + 2

  init(_ summary: RunSummary, isSaturated: Bool, rate: Double) {
    values = RunMetric.allCases.map { summary[$0] }
    self.isSaturated = isSaturated
    self.rate = rate
  }

  package subscript(metric: RunMetric) -> Double? {
    RunMetric.allCases.firstIndex(of: metric).flatMap { values[$0] }
  }

  // MARK: Lines of a journal

  init?(_ line: [Double?]) {
    guard line.count == Self.width, let rate = line[0], let saturated = line[1] else { return nil }
    self.rate = rate
    isSaturated = saturated > 0
    values = Array(line.dropFirst(2))
  }

  var line: [Double?] { [rate, isSaturated ? 1 : 0] + values }
}
