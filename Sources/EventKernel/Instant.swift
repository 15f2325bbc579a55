/// A moment on the simulated clock: whole nanoseconds since the start of the run.
///
/// Arithmetic is in nanoseconds as plain `Int64` and traps on overflow, 292 years from the start. Times that come
/// from a user's file are added with ``adding(_:)``, which says no instead.
public struct Instant: Hashable, Sendable {
  public var nanoseconds: Int64

  public static let zero = Instant(nanoseconds: 0)

  @inlinable
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// The instant nearest to a number of seconds.
  /// - Returns: Nothing for a number that is not finite or lies beyond 292 years.
  @inlinable
  public init?(seconds: Double) {
    guard let nanoseconds = Int64(exactly: (seconds * 1e9).rounded()) else { return nil }
    self.nanoseconds = nanoseconds
  }

  /// Seconds since the start, rounded to a double; for reports, not for arithmetic.
  @inlinable
  public var seconds: Double { Double(nanoseconds) / 1e9 }

  /// The instant some nanoseconds later, or nothing beyond the end of the clock.
  @inlinable
  public func adding(_ nanoseconds: Int64) -> Instant? {
    let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
    return overflow ? nil : Instant(nanoseconds: sum)
  }

  @inlinable
  public static func + (instant: Instant, nanoseconds: Int64) -> Instant {
    Instant(nanoseconds: instant.nanoseconds + nanoseconds)
  }

  @inlinable
  public static func += (instant: inout Instant, nanoseconds: Int64) { instant.nanoseconds += nanoseconds }

  /// Nanoseconds from one instant to another.
  @inlinable
  public static func - (later: Instant, earlier: Instant) -> Int64 { later.nanoseconds - earlier.nanoseconds }
}

extension Instant: Comparable {
  @inlinable
  public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }
}

extension Instant: CustomStringConvertible {
  public var description: String { "\(nanoseconds) ns" }
}
