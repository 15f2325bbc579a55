import EventKernel
import Statistics

/// Series with known means for statistical tests; the same numbers at every run.
struct Autoregressive {
  /// Correlation of neighbours.
  let correlation: Double
  var last: Double
  var stream: RandomStream

  /// - Parameter start: The first value's predecessor; a draw from the steady state when none is given.
  init(correlation: Double, seed: Int, start: Double? = nil) {
    var stream = RandomStream(seed: UInt64(seed), name: "autoregressive")
    self.correlation = correlation
    last = start ?? stream.normal()
    self.stream = stream
  }

  /// Mean 0 and variance 1.
  mutating func next() -> Double {
    last = correlation * last + (1 - correlation * correlation).squareRoot() * stream.normal()
    return last
  }
}

/// A queue with one server and exponential services, by Lindley's recursion.
struct SingleServerQueue {
  /// Seconds.
  struct Visit {
    var arrival: Double
    var wait: Double
    var departure: Double
  }

  private var arrivals: RandomStream
  private var services: RandomStream
  private let rate: Double
  private let gap: (inout RandomStream) -> Double
  private var clock = 0.0
  private var free = 0.0

  /// - Parameters:
  ///   - rate: Arrivals a second; the server does one a second.
  ///   - gap: Times between arrivals with mean 1.
  init(rate: Double, seed: Int, gap: @escaping (inout RandomStream) -> Double = { $0.exponential() }) {
    arrivals = RandomStream(seed: UInt64(seed), name: "arrivals")
    services = RandomStream(seed: UInt64(seed), name: "services")
    self.rate = rate
    self.gap = gap
  }

  mutating func next() -> Visit {
    clock += gap(&arrivals) / rate
    let start = max(clock, free)
    free = start + services.exponential()
    return Visit(arrival: clock, wait: start - clock, departure: free)
  }
}
