/// Observations of numbered requests, in batches of neighbouring numbers, in constant memory.
///
/// They may come in any order, as requests finish. Two runs on the same arrivals have the same batches, whatever each
/// run did to the order.
package struct NumberedBatches: Sendable {
  struct Batch: Mergeable {
    var sum = 0.0
    var count = 0
    var mean: Double { sum / Double(count) }

    mutating func merge(_ later: Batch) {
      sum += later.sum
      count += later.count
    }
  }

  private(set) var batches: [Batch] = []
  /// Request numbers a batch covers.
  private(set) var span = 1
  private var largest = -1
  private let capacity: Int

  package init(least: Int = 32) { capacity = 2 * max(1, least) }

  /// - Parameters:
  ///   - value: A finite number.
  ///   - number: From 0 on.
  package mutating func add(_ value: Double, number: Int) {
    precondition(number >= 0, "requests are numbered from 0")
    while number / span >= capacity { widen() }
    while batches.count <= number / span { batches.append(Batch()) }
    batches[number / span].sum += value
    batches[number / span].count += 1
    largest = max(largest, number)
  }

  /// Batches that all numbers up to the largest fill.
  var full: [Batch] { Array(batches.prefix((largest + 1) / span)) }

  mutating func widen() {
    if batches.count % 2 == 1 { batches.append(Batch()) }
    batches = MergingBatches.paired(batches)
    span *= 2
  }
}
