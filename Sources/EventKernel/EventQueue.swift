import HeapModule

/// Future events and the clock they move.
///
/// Events leave in order of (time, priority, sequence): lower priority numbers first at the same time, and first in,
/// first out at the same time and priority. The clock moves to an event's time when the event leaves and never goes
/// back.
///
/// ```swift
/// var queue = EventQueue<Event>()
/// queue.schedule(.arrival, at: Instant(nanoseconds: 100))
/// while let event = queue.next() { handle(event, now: queue.now) }
/// ```
///
/// Generic and inlinable, so that a simulator's module compiles a queue of its own event type.
public struct EventQueue<Event> {
  @usableFromInline
  struct Entry: Comparable {
    @usableFromInline let time: Int64
    /// Priority in the top 8 bits, sequence below.
    @usableFromInline let order: UInt64
    @usableFromInline let event: Event

    @inlinable
    init(time: Int64, order: UInt64, event: Event) {
      self.time = time
      self.order = order
      self.event = event
    }

    @inlinable
    static func < (left: Entry, right: Entry) -> Bool {
      left.time != right.time ? left.time < right.time : left.order < right.order
    }

    @inlinable
    static func == (left: Entry, right: Entry) -> Bool { left.time == right.time && left.order == right.order }
  }

  @usableFromInline var heap = Heap<Entry>()
  @usableFromInline var scheduled: UInt64 = 0
  @usableFromInline var clock: Instant

  @inlinable
  public init(startingAt start: Instant = .zero) { clock = start }

  /// The time of the last event that left.
  @inlinable
  public var now: Instant { clock }

  @inlinable
  public var count: Int { heap.count }

  @inlinable
  public var isEmpty: Bool { heap.isEmpty }

  /// When the next event is due; nothing when none is scheduled.
  @inlinable
  public var nextTime: Instant? { heap.min.map { Instant(nanoseconds: $0.time) } }

  /// Schedules an event, now or later.
  /// - Precondition: `time` is not before ``now``.
  /// - Complexity: O(log count).
  @inlinable
  public mutating func schedule(_ event: Event, at time: Instant, priority: UInt8 = 0) {
    precondition(time >= clock, "an event may not be scheduled in the past")
    heap.insert(Entry(time: time.nanoseconds, order: UInt64(priority) << 56 | scheduled, event: event))
    scheduled += 1
  }

  /// Takes the next event out and moves the clock to its time.
  /// - Complexity: O(log count).
  @inlinable
  public mutating func next() -> Event? {
    guard let entry = heap.popMin() else { return nil }
    clock = Instant(nanoseconds: entry.time)
    return entry.event
  }
}
