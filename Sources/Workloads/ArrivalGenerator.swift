import EventKernel

/// Draws the arrivals of a process, one after another.
struct ArrivalGenerator {
  private let process: ArrivalProcess
  private var stream: RandomStream
  private var latest = Instant.zero
  private var drawn = 0
  private var phase = Phase(isOn: false, nanosecondsLeft: 0)

  /// The current phase of an on-off process; it begins at the end of an imagined phase off.
  private struct Phase {
    var isOn: Bool
    var nanosecondsLeft: Double
  }

  init(_ process: ArrivalProcess, seed: UInt64) {
    self.process = process
    stream = RandomStream(seed: seed, name: "traffic.arrivals")
  }

  /// The next arrival, or nothing beyond the clock's 292 years.
  mutating func next() -> Instant? {
    defer { drawn += 1 }
    switch process {
    case .poisson(let rate): return advance(stream.exponential() / rate * 1e9)
    case .gamma(let rate, let shape): return advance(stream.gamma(shape: shape) / (rate * shape) * 1e9)
    case .constant(let rate): return Instant(seconds: Double(drawn) / rate)
    case .onOff(let process): return advance(onOffGap(process))
    }
  }

  private mutating func advance(_ nanoseconds: Double) -> Instant? {
    guard let gap = Int64(exactly: nanoseconds.rounded()), let next = latest.adding(gap) else { return nil }
    latest = next
    return next
  }

  /// Nanoseconds to the next arrival of an on-off process.
  ///
  /// An arrival falls due when the rate, summed over time, has used up an exponential amount.
  private mutating func onOffGap(_ process: ArrivalProcess.OnOff) -> Double {
    var amount = stream.exponential()
    var gap = 0.0
    while true {
      let rate = (phase.isOn ? process.onRate : process.offRate) * 1e-9
      let reach = rate * phase.nanosecondsLeft
      if reach > amount {
        let wait = amount / rate
        phase.nanosecondsLeft -= wait
        return gap + wait
      }
      amount -= reach
      gap += phase.nanosecondsLeft
      phase = nextPhase(process)
    }
  }

  private mutating func nextPhase(_ process: ArrivalProcess.OnOff) -> Phase {
    let seconds = phase.isOn ? process.offSeconds : process.onSeconds
    let factor = process.phases == .fixed ? 1 : stream.exponential()
    return Phase(isOn: !phase.isOn, nanosecondsLeft: seconds * factor * 1e9)
  }
}
