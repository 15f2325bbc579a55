/// Moves labels apart that would lie on each other.
enum Spread {
  /// Places as near as possible to the wanted ones, in the same order, at least `gap` apart.
  ///
  /// Neighbours that collide form a block around their mean; blocks that collide merge.
  /// - Parameter wanted: Ascending.
  static func apart(_ wanted: [Double], by gap: Double, within range: ClosedRange<Double>) -> [Double] {
    var blocks: [(start: Double, count: Int, sum: Double)] = []
    for place in wanted {
      blocks.append((place, 1, place))
      settle(&blocks, gap, range)
      while blocks.count > 1, blocks[blocks.count - 1].start < end(blocks[blocks.count - 2], gap) {
        let last = blocks.removeLast()
        let shift = Double(blocks[blocks.count - 1].count * last.count) * gap
        blocks[blocks.count - 1].sum += last.sum - shift
        blocks[blocks.count - 1].count += last.count
        settle(&blocks, gap, range)
      }
    }
    return blocks.flatMap { block in (0..<block.count).map { block.start + Double($0) * gap } }
  }

  private static func end(_ block: (start: Double, count: Int, sum: Double), _ gap: Double) -> Double {
    block.start + Double(block.count) * gap
  }

  /// The last block's best start: the mean of what its members want of it, kept inside the range.
  private static func settle(
    _ blocks: inout [(start: Double, count: Int, sum: Double)], _ gap: Double, _ range: ClosedRange<Double>
  ) {
    let last = blocks.count - 1
    let height = Double(blocks[last].count - 1) * gap
    let best = blocks[last].sum / Double(blocks[last].count)
    blocks[last].start = max(range.lowerBound, min(best, range.upperBound - height))
  }
}
