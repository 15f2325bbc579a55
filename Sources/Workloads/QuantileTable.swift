/// A distribution of token counts, given by points of its cumulative share.
///
/// A point (0.5, 1020) says that half of the requests have at most 1,020 tokens; between points the share grows
/// linearly. The first point has share 0, so no request has that few tokens, and the last has share 1.
package struct QuantileTable: Sendable, Hashable {
  package struct Point: Sendable, Hashable {
    package var share: Double
    package var tokens: Int
  }

  package let points: [Point]
  /// What each point and its successor say, ready to compute with.
  private let segments: ContiguousArray<Segment>
  /// For each of 1,024 equal parts of [0, 1), the point at or before its beginning.
  private let guide: ContiguousArray<UInt16>
  private static let parts = 1024.0

  /// - Precondition: At least two and at most 65,536 points; shares rise from 0 to 1; tokens never fall.
  package init(points: [Point]) {
    precondition(Self.fault(in: points) == nil, "a quantile table is checked before it is made")
    self.points = points
    segments = ContiguousArray(zip(points, points.dropFirst()).map(Segment.init))
    var index = 0
    guide = ContiguousArray(
      (0..<Int(Self.parts)).map { part in
        while points[index + 1].share <= Double(part) / Self.parts { index += 1 }
        return UInt16(index)
      })
  }

  private struct Segment: Hashable {
    let share: Double
    let end: Double
    let tokens: Double
    let slope: Double

    init(_ low: Point, _ high: Point) {
      share = low.share
      end = high.share
      tokens = Double(low.tokens)
      slope = Double(high.tokens - low.tokens) / (high.share - low.share)
    }
  }

  /// The token count below or at which the share `u` lies.
  /// - Precondition: 0 <= u < 1.
  /// - Complexity: O(points in one of 1,024 parts).
  func tokens(uniform u: Double) -> Int {
    var index = Int(guide[Int(u * Self.parts)])
    while segments[index].end <= u { index += 1 }
    let segment = segments[index]
    return max(1, Int((segment.tokens + (u - segment.share) * segment.slope).rounded(.up)))
  }

  /// What is wrong with some points: the index and the reason.
  package static func fault(in points: [Point]) -> (index: Int, problem: String)? {
    guard (2...65536).contains(points.count) else { return (0, "expected 2 to 65536 points, found \(points.count)") }
    if points[0].share != 0 { return (0, "the first share is \(points[0].share), expected 0") }
    let last = points.count - 1
    if points[last].share != 1 { return (last, "the last share is \(points[last].share), expected 1") }
    if points[last].tokens < 1 { return (last, "the largest count is 0, expected at least 1") }
    for index in 1...last {
      let (low, high) = (points[index - 1], points[index])
      if !(high.share > low.share) { return (index, "share \(high.share) follows \(low.share), expected a larger one") }
      if high.tokens < low.tokens { return (index, "\(high.tokens) tokens follow \(low.tokens), expected no fewer") }
    }
    return nil
  }
}
