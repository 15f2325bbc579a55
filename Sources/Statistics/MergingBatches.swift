/// What many observations together leave behind, such that two neighbouring batches add up to one.
package protocol Mergeable: Sendable {
  mutating func merge(_ later: Self)
}

/// Observations in order, in a bounded number of equal batches, however many come.
///
/// Batches begin at one observation each. When all places are taken, neighbours merge and every batch holds twice as
/// many, so that between half of the places and all of them are in use.
package struct MergingBatches<Batch: Mergeable>: Sendable {
  /// The full batches, in order.
  package private(set) var full: [Batch] = []
  /// Observations in each full batch.
  package private(set) var size = 1
  /// The batch being filled, with fewer observations than the others.
  package private(set) var rest: Batch
  package private(set) var restCount = 0
  private let empty: Batch
  private let capacity: Int

  /// - Parameters:
  ///   - least: Batches that remain after a merge, at least 1.
  ///   - empty: A batch of nothing.
  package init(least: Int, empty: Batch) {
    precondition(least >= 1, "there is at least one batch")
    capacity = 2 * least
    self.empty = empty
    rest = empty
    full.reserveCapacity(capacity)
  }

  /// All observations so far.
  package var count: Int { full.count * size + restCount }

  /// Takes in one observation.
  /// - Parameter update: Adds it to the batch it belongs to.
  package mutating func add(_ update: (inout Batch) -> Void) {
    update(&rest)
    restCount += 1
    guard restCount == size else { return }
    full.append(rest)
    rest = empty
    restCount = 0
    if full.count == capacity {
      full = Self.paired(full)
      size *= 2
    }
  }

  /// The same batches, each with less to tell.
  func map<Other: Mergeable>(_ transform: (Batch) -> Other) -> MergingBatches<Other> {
    var other = MergingBatches<Other>(least: capacity / 2, empty: transform(empty))
    other.full = full.map(transform)
    other.size = size
    other.rest = transform(rest)
    other.restCount = restCount
    return other
  }

  /// Each two neighbours as one; a last one without neighbour is left out.
  static func paired(_ batches: [Batch]) -> [Batch] {
    stride(from: 0, to: batches.count - 1, by: 2).map { index in
      var batch = batches[index]
      batch.merge(batches[index + 1])
      return batch
    }
  }

  /// Each two neighbours as one, from the end: where the number is odd, the first is left out, for it may still bear
  /// traces of the beginning.
  static func pairedFromEnd(_ batches: some Collection<Batch>) -> [Batch] {
    paired(Array(batches.dropFirst(batches.count % 2)))
  }
}
