import EventKernel

/// Whole numbers of a range whose shares fall as a power of the number: share(k) is proportional to k^-exponent.
///
/// Holds the cumulative shares, 8 bytes a number.
package struct ZipfTable: Sendable, Hashable {
  package let range: ClosedRange<Int>
  package let exponent: Double
  private let cumulative: ContiguousArray<Double>
  /// For each of 1,024 equal parts of [0, 1), the first index whose cumulative share is above its beginning.
  private let guide: ContiguousArray<Int32>
  private static let parts = 1024
  /// The most numbers a table may hold.
  package static let largestCount = 1 << 20

  /// - Precondition: The range begins at 1 or above and has at most ``largestCount`` numbers.
  package init(range: ClosedRange<Int>, exponent: Double) {
    precondition(range.lowerBound >= 1 && range.count <= Self.largestCount, "a Zipf table is checked before")
    self.range = range
    self.exponent = exponent
    // Relative to the first number, so that nothing underflows to a table of zeros.
    let first = Double(range.lowerBound)
    var sum = 0.0
    let sums = range.map { number in
      sum += PortableMath.exp(-exponent * PortableMath.log(Double(number) / first))
      return sum
    }
    cumulative = ContiguousArray(sums.map { $0 / sum })
    var index = 0
    let shares = cumulative
    guide = ContiguousArray(
      (0..<Self.parts).map { part in
        while shares[index] <= Double(part) / Double(Self.parts) { index += 1 }
        return Int32(index)
      })
  }

  /// The number at whose cumulative share `u` lies.
  /// - Precondition: 0 <= u < 1.
  /// - Complexity: O(log numbers in one of 1,024 parts).
  func number(uniform u: Double) -> Int {
    let part = Int(u * Double(Self.parts))
    var low = Int(guide[part])
    var high = part + 1 < Self.parts ? Int(guide[part + 1]) : cumulative.count - 1
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] > u { high = middle } else { low = middle + 1 }
    }
    return range.lowerBound + low
  }

  package static func == (left: ZipfTable, right: ZipfTable) -> Bool {
    left.range == right.range && left.exponent == right.exponent
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(range)
    hasher.combine(exponent)
  }
}
