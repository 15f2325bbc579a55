/// Kendall's tau-b of paired values: how much more often two pairs agree in order than not, ties allowed for.
package enum KendallTau {
  /// - Returns: -1 to 1; nothing where either side has no two different values.
  /// - Complexity: O(n log n), after W. R. Knight, "A Computer Method for Calculating Kendall's Tau with Ungrouped
  ///   Data", JASA 61, 1966.
  package static func b<X: Comparable, Y: Comparable>(_ pairs: [(x: X, y: Y)]) -> Double? {
    let sorted = pairs.sorted { $0.x != $1.x ? $0.x < $1.x : $0.y < $1.y }
    let all = Double(pairs.count) * Double(pairs.count - 1) / 2
    let tiedX = tiedPairs(sorted) { $0.x == $1.x }
    let tiedBoth = tiedPairs(sorted) { $0.x == $1.x && $0.y == $1.y }
    var values = sorted.map(\.y)
    let discordant = Double(inversions(&values))
    let tiedY = tiedPairs(values, ==)
    guard all > tiedX, all > tiedY else { return nil }
    let concordant = all - tiedX - tiedY + tiedBoth - discordant
    return (concordant - discordant) / ((all - tiedX).squareRoot() * (all - tiedY).squareRoot())
  }

  /// Pairs of equal elements, where equal ones stand together.
  private static func tiedPairs<Element>(_ elements: [Element], _ equal: (Element, Element) -> Bool) -> Double {
    var pairs = 0.0
    var run = 0.0
    for index in elements.indices.dropFirst() {
      run = equal(elements[index - 1], elements[index]) ? run + 1 : 0
      pairs += run
    }
    return pairs
  }

  /// Sorts by merging and counts pairs that stood the wrong way round.
  private static func inversions<Y: Comparable>(_ values: inout [Y]) -> Int {
    guard values.count > 1 else { return 0 }
    var left = Array(values[..<(values.count / 2)])
    var right = Array(values[(values.count / 2)...])
    var count = inversions(&left) + inversions(&right)
    var (i, j) = (0, 0)
    for index in values.indices {
      if i < left.count, j == right.count || left[i] <= right[j] {
        values[index] = left[i]
        i += 1
      } else {
        values[index] = right[j]
        j += 1
        count += left.count - i
      }
    }
    return count
  }
}
