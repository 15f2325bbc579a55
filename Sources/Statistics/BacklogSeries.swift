/// How many requests were in a system over time, in constant memory.
///
/// Time is cut into equal bins; when they are used up, neighbours merge and bins are twice as long.
package struct BacklogSeries: Sendable {
  package struct Bin: Mergeable {
    /// Requests times nanoseconds.
    package var area = 0.0
    package var arrivals = 0
    package var completions = 0

    package mutating func merge(_ later: Bin) {
      area += later.area
      arrivals += later.arrivals
      completions += later.completions
    }
  }

  /// Bins up to the present one.
  private var bins = [Bin()]
  /// Nanoseconds a bin.
  private(set) var width: Int64
  private var now: Int64 = 0
  /// When the last bin ends.
  private var binEnd: Int64
  private var inSystem = 0
  private var lastArrival: Int64 = 0
  /// What was known at the last arrival, once the running empty after it has needed longer bins.
  private var kept: Window?
  private let capacity: Int

  /// - Parameters:
  ///   - least: Bins that remain when neighbours merge.
  ///   - width: Nanoseconds of the first bins; a millisecond unless said otherwise.
  package init(least: Int = 32, width: Int64 = 1_000_000) {
    precondition(least >= 1 && width >= 1, "bins are positive")
    capacity = 2 * least
    self.width = width
    binEnd = width
  }

  /// A request comes in.
  /// - Parameter time: Nanoseconds, not before the last call's.
  /// - Complexity: O(1), amortised.
  package mutating func arrive(at time: Int64) {
    kept = nil
    advance(to: time)
    inSystem += 1
    bins[bins.count - 1].arrivals += 1
    lastArrival = now
  }

  /// A request leaves, served or not.
  package mutating func leave(at time: Int64) {
    if time / width >= capacity, kept == nil { kept = whileArriving }
    advance(to: time)
    inSystem -= 1
    bins[bins.count - 1].completions += 1
  }

  private mutating func advance(to time: Int64) {
    precondition(time >= now, "time does not run backwards")
    if time >= binEnd { openBins(upTo: time) }
    bins[bins.count - 1].area += Double(inSystem) * Double(time - now)
    now = time
  }

  private mutating func openBins(upTo time: Int64) {
    while time / width >= capacity { widen() }
    while now / width < time / width {
      let end = (now / width + 1) * width
      bins[bins.count - 1].area += Double(inSystem) * Double(end - now)
      bins.append(Bin())
      now = end
    }
    binEnd = (now / width + 1) * width
  }

  private mutating func widen() {
    if bins.count % 2 == 1 { bins.append(Bin()) }
    bins = MergingBatches.paired(bins)
    width *= 2
  }

  /// Equal bins of so many nanoseconds.
  package struct Window: Sendable {
    package var bins: [Bin]
    package var width: Int64
  }

  /// The bins that were over when the last request arrived: what comes later is a system running empty.
  package var whileArriving: Window {
    kept ?? Window(bins: Array(bins.prefix(Int(lastArrival / width))), width: width)
  }
}
