/// How the lengths seen so far are spread: the share below a length, and the length at a share.
///
/// Lengths are counted in bins, each its own up to 4096 tokens and 64 to a doubling beyond, in a Fenwick tree.
/// - Complexity: O(log bins) for everything; 44 kB.
struct LengthRanks {
  private static let exact = 4096
  private static let perDoubling = 64
  private static let bins = 8192

  /// Sums over runs of bins, as a Fenwick tree keeps them.
  private var sums = [Int](repeating: 0, count: bins + 1)
  private(set) var count = 0

  mutating func add(_ length: Int) {
    count += 1
    var index = Self.bin(length) + 1
    while index <= Self.bins {
      sums[index] += 1
      index += index & -index
    }
  }

  /// Half of the equal lengths count as below, so that the mean share is one half.
  /// - Returns: Between 0 and 1, neither included, of a length that was added.
  func share(below length: Int) -> Double {
    let bin = Self.bin(length)
    let below = sum(before: bin)
    let equal = sum(before: bin + 1) - below
    return (Double(below) + 0.5 * Double(equal)) / Double(max(1, count))
  }

  /// The least length that at least so large a share reaches.
  func length(at share: Double) -> Int {
    let wanted = min(count, max(1, Int((share * Double(count)).rounded(.up))))
    var place = 0
    var left = wanted
    var step = Self.bins
    while step > 0 {
      if place + step <= Self.bins, sums[place + step] < left {
        place += step
        left -= sums[place]
      }
      step /= 2
    }
    return Self.length(of: place)
  }

  private func sum(before bin: Int) -> Int {
    var sum = 0
    var index = bin
    while index > 0 {
      sum += sums[index]
      index -= index & -index
    }
    return sum
  }

  /// Beyond the exact ones, bins are equal parts of each doubling.
  private static func bin(_ length: Int) -> Int {
    guard length > exact else { return max(0, length) }
    let doubling = Int.bitWidth - 1 - length.leadingZeroBitCount - 12
    let part = (length >> (doubling + 6)) - perDoubling
    return min(bins - 1, exact + doubling * perDoubling + part)
  }

  private static func length(of bin: Int) -> Int {
    guard bin > exact else { return max(1, bin) }
    let (doubling, part) = (bin - exact).quotientAndRemainder(dividingBy: perDoubling)
    return (perDoubling + part) << (doubling + 6)
  }
}
