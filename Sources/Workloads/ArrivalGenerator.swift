import EventKernel

/// Draws the arrivals of a process, one after another.
struct ArrivalGenerator {
  private let gaps: GapLaw
  private let tempo: Tempo
  private var stream: RandomStream
  private var latest = Instant.zero
  private var drawn = 0
  private var pieces: Pieces
  /// Whether the process is over, as after its last stage.
  private(set) var isExhausted = false

  /// What the common processes need, without anything on the heap.
  private enum Tempo {
    case poisson(rate: Double)
    case renewal(rate: Double)
    case constant(rate: Double)
    case diurnal(ArrivalProcess.Diurnal)
    case pieces
    case exactStages
    case closed(users: Int, rampSeconds: Double)
  }

  init(_ process: ArrivalProcess, seed: UInt64, name: String = "traffic.arrivals") {
    gaps = process.gaps
    stream = RandomStream(seed: seed, name: name)
    pieces = Pieces(process.pace)
    tempo =
      switch process.pace {
      case .steady(let rate):
        switch process.gaps {
        case .exponential: .poisson(rate: rate)
        case .equal: .constant(rate: rate)
        case .gamma, .scaledWeibull: .renewal(rate: rate)
        }
      case .onOff, .spikes: .pieces
      case .stages(let stages): stages.counts == .exact ? .exactStages : .pieces
      case .diurnal(let diurnal): .diurnal(diurnal)
      case .closed(let loop): .closed(users: loop.users, rampSeconds: loop.rampSeconds)
      }
  }

  /// The next arrival; nothing when the process is exhausted, or beyond the clock's 292 years.
  mutating func next() -> Instant? {
    defer { drawn += 1 }
    switch tempo {
    case .poisson(let rate): return advance(stream.exponential() / rate * 1e9)
    case .renewal(let rate): return advance(gaps.draw(&stream) / rate * 1e9)
    case .constant(let rate): return Instant(seconds: Double(drawn) / rate)
    case .diurnal(let diurnal): return advance(gap(diurnal))
    case .pieces: return advance(piecewiseGap())
    case .exactStages: return advance(exactGap())
    case .closed(let users, let ramp): return user(of: users, ramp)
    }
  }

  private mutating func advance(_ nanoseconds: Double?) -> Instant? {
    guard let nanoseconds else {
      isExhausted = true
      return nil
    }
    guard let gap = Int64(exactly: nanoseconds.rounded()), let next = latest.adding(gap) else { return nil }
    latest = next
    return next
  }

  private mutating func user(of users: Int, _ rampSeconds: Double) -> Instant? {
    isExhausted = drawn >= users
    return isExhausted ? nil : Instant(seconds: rampSeconds * Double(drawn) / Double(users))
  }

  // MARK: Rates in pieces

  /// Nanoseconds to the next arrival; nothing when the last piece ends before it.
  ///
  /// An arrival falls due when the rate, summed over time, has used up a drawn gap.
  private mutating func piecewiseGap() -> Double? {
    var amount = gaps.draw(&stream)
    var gap = 0.0
    while true {
      let rate = pieces.ratePerSecond * 1e-9
      let reach = rate * pieces.nanosecondsLeft
      if reach > amount {
        let wait = amount / rate
        pieces.nanosecondsLeft -= wait
        return gap + wait
      }
      amount -= reach
      gap += pieces.nanosecondsLeft
      guard pieces.move(&stream), gap < 1e19 else { return pieces.isOver ? nil : gap }
    }
  }

  /// Nanoseconds to the next of the arrivals that are spread uniformly over the rest of a stage: the smallest of k
  /// uniform times has the distribution 1 - (1 - x)^k.
  private mutating func exactGap() -> Double? {
    var gap = 0.0
    while pieces.arrivalsLeft == 0 {
      gap += pieces.nanosecondsLeft
      guard pieces.move(&stream) else { return nil }
    }
    let share = 1 - PortableMath.power(stream.openUniform(), 1 / Double(pieces.arrivalsLeft))
    let wait = pieces.nanosecondsLeft * share
    pieces.nanosecondsLeft -= wait
    pieces.arrivalsLeft -= 1
    return gap + wait
  }

  // MARK: Diurnal rates

  /// Nanoseconds to the next arrival: where the rate, summed over time, has used up a drawn gap.
  ///
  /// The sum is t + a P / (2 pi) (sin(2 pi (t + x) / P) - sin(2 pi x / P)) for a unit rate, from the place x of the
  /// cycle; it never strays more than a P / pi from t, so bisection keeps Newton's steps inside.
  private mutating func gap(_ diurnal: ArrivalProcess.Diurnal) -> Double {
    let period = diurnal.periodSeconds
    let place = placeInCycle(diurnal)
    let wanted = gaps.draw(&stream) / diurnal.rate / period
    let swing = diurnal.amplitude / 6.283185307179586
    let start = PortableMath.sineCosine(turns: place).sine
    var (low, high) = (max(0, wanted - 2 * swing), wanted + 2 * swing)
    var turns = wanted
    for _ in 0..<60 {
      let (sine, cosine) = PortableMath.sineCosine(turns: place + turns)
      let excess = turns + swing * (sine - start) - wanted
      if excess > 0 { high = turns } else { low = turns }
      let newton = turns - excess / (1 + diurnal.amplitude * cosine)
      let next = newton > low && newton < high ? newton : (low + high) / 2
      if abs(next - turns) <= 1e-15 * (1 + next) { break }
      turns = next
    }
    return turns * period * 1e9
  }

  /// Where in its cycle the rate is now, as a share; 0 is the peak.
  private func placeInCycle(_ diurnal: ArrivalProcess.Diurnal) -> Double {
    let period = Int64(diurnal.periodSeconds * 1e9)
    return Double(latest.nanoseconds % period) / Double(period) - diurnal.peakSeconds / diurnal.periodSeconds
  }
}

/// A rate that is constant for a while, then another.
private struct Pieces {
  private let pace: ArrivalProcess.Pace
  private(set) var ratePerSecond = 0.0
  var nanosecondsLeft = 0.0
  /// Arrivals that the piece still has, where their number is fixed.
  var arrivalsLeft = 0
  private(set) var isOver = false
  private var moves = 0

  init(_ pace: ArrivalProcess.Pace) { self.pace = pace }

  /// Moves to the next piece.
  /// - Returns: False after the last.
  mutating func move(_ stream: inout RandomStream) -> Bool {
    defer { moves += 1 }
    switch pace {
    case .onOff(let process): begin(process, &stream)
    case .spikes(let process): begin(process)
    case .stages(let stages): begin(stages)
    case .steady, .diurnal, .closed: isOver = true
    }
    return !isOver
  }

  private mutating func begin(_ process: ArrivalProcess.OnOff, _ stream: inout RandomStream) {
    let isOn = moves % 2 == 0
    let factor = process.phases == .fixed ? 1 : stream.exponential()
    ratePerSecond = isOn ? process.onRate : process.offRate
    nanosecondsLeft = (isOn ? process.onSeconds : process.offSeconds) * factor * 1e9
  }

  /// Even pieces lead to a spike, odd ones are spikes.
  private mutating func begin(_ process: ArrivalProcess.Spikes) {
    let spike = moves / 2
    guard moves % 2 == 0 else {
      ratePerSecond = process.rate * process.factor
      nanosecondsLeft = process.seconds * 1e9
      return
    }
    let end = spike == 0 ? 0 : (process.beginning(spike - 1) ?? 0) + process.seconds
    ratePerSecond = process.rate
    // After the last spike the steady rate lasts: no less than the clock.
    nanosecondsLeft = process.beginning(spike).map { ($0 - end) * 1e9 } ?? 1e19
  }

  private mutating func begin(_ stages: ArrivalProcess.Stages) {
    guard moves < stages.list.count else {
      isOver = true
      return
    }
    let stage = stages.list[moves]
    ratePerSecond = stage.rate
    nanosecondsLeft = stage.seconds * 1e9
    arrivalsLeft = Int(min(1e15, stage.rate * stage.seconds))
  }
}
