import Quantities
import Serving
import Statistics

/// What became of every request of a run, by its number: enough to judge any stretch of the run afterwards.
package struct RequestSeries: Sendable {
  /// Nanoseconds since the start of the run; `never` where it did not come to that.
  private(set) var arrivals: [Int64] = []
  private(set) var firstTokens: [Int64] = []
  private(set) var ends: [Int64] = []
  private(set) var completed: [Bool] = []
  private(set) var good: [Bool] = []
  private(set) var outputTokens: [Int32] = []

  static let never: Int64 = -1

  package init() {}

  package var count: Int { arrivals.count }

  mutating func add(_ record: RequestRecord, isGood: Bool) {
    while arrivals.count <= record.id { addPlace() }
    arrivals[record.id] = record.arrival
    outputTokens[record.id] = Int32(record.outputTokens)
    guard record.outcome == .completed else { return }
    completed[record.id] = true
    firstTokens[record.id] = record.firstToken
    ends[record.id] = record.completion
    good[record.id] = isGood
  }

  private mutating func addPlace() {
    arrivals.append(Self.never)
    firstTokens.append(Self.never)
    ends.append(Self.never)
    completed.append(false)
    good.append(false)
    outputTokens.append(0)
  }

  // MARK: Latencies of completed requests, in seconds

  func timesToFirstToken(_ range: Range<Int>) -> [Double] {
    seconds(range) { firstTokens[$0] - arrivals[$0] }
  }

  func endToEnd(_ range: Range<Int>) -> [Double] { seconds(range) { ends[$0] - arrivals[$0] } }

  /// Those of answers longer than one token.
  func timesPerOutputToken(_ range: Range<Int>) -> [Double] {
    range.filter { completed[$0] && outputTokens[$0] > 1 }.map { index in
      Double(ends[index] - firstTokens[index]) / Double(outputTokens[index] - 1) / 1e9
    }
  }

  private func seconds(_ range: Range<Int>, _ time: (Int) -> Int64) -> [Double] {
    range.filter { completed[$0] }.map { Double(time($0)) / 1e9 }
  }

  // MARK: The run as a whole

  /// Number of the first request that arrived so long after the first.
  func firstRequest(after time: Seconds) -> Int {
    guard let start = arrivals.first else { return 0 }
    return arrivals.firstIndex { Double($0 - start) / 1e9 >= time.value } ?? count
  }

  /// Requests that belong to the time in which the system filled up, by the marginal standard error rule on the end-to-end
  /// latencies of batches.
  var warmUp: Int {
    let size = max(1, count / 64)
    let means = stride(from: 0, to: count - size + 1, by: size).map { start in
      let batch = endToEnd(start..<start + size)
      return batch.isEmpty ? 0 : batch.reduce(0, +) / Double(batch.count)
    }
    return WarmUp.length(means) * size
  }
}
