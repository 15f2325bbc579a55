import EventKernel

/// Turns a trace's times into arrivals: scaled, and refused when they go back.
struct TraceClock {
  enum Fault: Error {
    case backwards
    case beyondClock

    var problem: String {
      switch self {
      case .backwards: "goes back in time, expected arrivals in order"
      case .beyondClock: "is beyond 292 years, the clock's range"
      }
    }
  }

  let timeScale: Double
  let limit: Int
  private var latest = Int64.min
  private(set) var count = 0

  init(timeScale: Double, limit: Int?) {
    precondition(timeScale > 0 && timeScale.isFinite, "a time scale is positive")
    precondition((limit ?? 1) >= 1, "a limit is at least one request")
    self.timeScale = timeScale
    self.limit = limit ?? .max
  }

  var isFinished: Bool { count >= limit }

  /// The arrival for a time of the trace, in nanoseconds since its start.
  mutating func arrival(at nanoseconds: Int64) throws(Fault) -> Instant {
    guard nanoseconds >= latest else { throw .backwards }
    latest = nanoseconds
    count += 1
    guard timeScale != 1 else { return Instant(nanoseconds: nanoseconds) }
    guard let scaled = Int64(exactly: (Double(nanoseconds) * timeScale).rounded()) else { throw .beyondClock }
    return Instant(nanoseconds: scaled)
  }
}
