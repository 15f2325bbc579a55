import HeapModule

/// A link whose bandwidth the transfers on it share equally: processor sharing.
///
/// All transfers progress alike, so one level counts what each has been sent since the link began, and a transfer ends
/// when the level has risen by its size. Levels are whole nanobytes (bandwidth in bytes a second, time in nanoseconds)
/// and rounded down, ends are rounded up to nanoseconds: the link never carries more than its bandwidth.
///
/// ```swift
/// var link = SharedLink(bandwidth: 1_000_000_000)
/// link.start(1, bytes: 500, now: 0)
/// link.start(2, bytes: 500, now: 0)
/// link.nextEnd  // 1000
/// ```
public struct SharedLink: Sendable {
  private struct Entry: Comparable {
    var end: Int128
    var order: Int
    var start: Int128
    var bytes: Int64
    var id: Int32

    static func < (a: Entry, b: Entry) -> Bool { a.end != b.end ? a.end < b.end : a.order < b.order }
    static func == (a: Entry, b: Entry) -> Bool { a.end == b.end && a.order == b.order }
  }

  private static let nanobytes: Int128 = 1_000_000_000

  /// Bytes a second, all transfers together.
  public let bandwidth: Int64
  /// Bytes of transfers that ended, and those that others had carried when they were cancelled.
  public private(set) var carried: Int64 = 0
  private var level: Int128 = 0
  private var updated: Int64 = 0
  private var started = 0
  private var transfers = Heap<Entry>()

  /// - Precondition: `bandwidth` is positive.
  public init(bandwidth: Int64) {
    precondition(bandwidth > 0, "a link needs a bandwidth")
    self.bandwidth = bandwidth
  }

  /// Transfers on the link.
  public var count: Int { transfers.count }

  /// When the next transfer has been sent, if none comes or goes before; ``Timers/never`` when there is none.
  public var nextEnd: Int64 {
    guard let first = transfers.min else { return Timers.never }
    let work = max(0, first.end - level) * Int128(transfers.count)
    let time = Int128(updated) + (work + Int128(bandwidth) - 1) / Int128(bandwidth)
    return Int64(clamping: time)
  }

  /// Puts a transfer on the link.
  /// - Precondition: `now` is not before the last call's, and `bytes` is not negative.
  /// - Complexity: O(log count).
  public mutating func start(_ id: Int32, bytes: Int64, now: Int64) {
    precondition(bytes >= 0, "a transfer has a size")
    advance(to: now)
    let end = level + Int128(bytes) * Self.nanobytes
    transfers.insert(Entry(end: end, order: started, start: level, bytes: bytes, id: id))
    started += 1
  }

  /// Takes out a transfer that has been sent by now.
  /// - Complexity: O(log count).
  public mutating func popSent(now: Int64) -> Int32? {
    advance(to: now)
    guard let first = transfers.min, first.end <= level else { return nil }
    transfers.removeMin()
    carried += first.bytes
    return first.id
  }

  /// Takes a transfer off the link before its end.
  /// - Returns: Bytes of it that were carried; nothing when it is not on the link.
  /// - Complexity: O(count).
  public mutating func cancel(_ id: Int32, now: Int64) -> Int64? {
    advance(to: now)
    guard let entry = transfers.unordered.first(where: { $0.id == id }) else { return nil }
    transfers = Heap(transfers.unordered.filter { $0.id != id })
    let bytes = min(entry.bytes, Int64((level - entry.start) / Self.nanobytes))
    carried += bytes
    return bytes
  }

  private mutating func advance(to now: Int64) {
    precondition(now >= updated, "a link's time does not go back")
    if !transfers.isEmpty { level += Int128(bandwidth) * Int128(now - updated) / Int128(transfers.count) }
    updated = now
  }
}
