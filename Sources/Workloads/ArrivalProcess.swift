/// How the times between arrivals come about: a pace, and gaps that vary around it.
///
/// Gaps are drawn with mean 1 and used up by the rate summed over time, so any law of gaps goes with any pace. Rates
/// are requests a second (sessions a second where requests come in sessions), durations seconds.
package struct ArrivalProcess: Sendable, Hashable {
  package var gaps: GapLaw
  package var pace: Pace

  package enum Pace: Sendable, Hashable {
    case steady(rate: Double)
    case onOff(OnOff)
    case diurnal(Diurnal)
    case spikes(Spikes)
    case stages(Stages)
    case closed(ClosedLoop)
  }

  /// A rate that alternates between two phases, beginning with the phase on.
  package struct OnOff: Sendable, Hashable {
    package enum Phases: String, CaseIterable, Sendable {
      /// The durations are means of exponential distributions.
      case exponential
      /// Every phase lasts exactly as long.
      case fixed
    }
    package var onRate: Double
    package var offRate: Double
    package var onSeconds: Double
    package var offSeconds: Double
    package var phases: Phases
  }

  /// rate (1 + amplitude cos(2 pi (t - peak) / period)).
  package struct Diurnal: Sendable, Hashable {
    package var rate: Double
    /// From 0 to 1.
    package var amplitude: Double
    package var periodSeconds: Double
    /// When the rate is highest, after the start.
    package var peakSeconds: Double
  }

  /// A steady rate, multiplied by a factor for a while now and then.
  package struct Spikes: Sendable, Hashable {
    package var rate: Double
    package var factor: Double
    package var seconds: Double
    package var times: Times

    package enum Times: Sendable, Hashable {
      case every(seconds: Double, first: Double)
      /// Beginnings in order, at least a spike apart.
      case at([Double])
    }
  }

  /// Rates that follow each other; after the last there are no arrivals.
  package struct Stages: Sendable, Hashable {
    package struct Stage: Sendable, Hashable {
      package var rate: Double
      package var seconds: Double

      package init(rate: Double, seconds: Double) {
        self.rate = rate
        self.seconds = seconds
      }
    }

    package enum Counts: String, CaseIterable, Sendable {
      /// Gaps decide how many arrivals a stage has.
      case random
      /// Rate x duration arrivals, rounded down, at uniformly distributed times.
      case exact
    }
    package var list: [Stage]
    package var counts: Counts

    package init(list: [Stage], counts: Counts) {
      self.list = list
      self.counts = counts
    }
  }

  /// Users who each wait for their answer, think, and ask again.
  package struct ClosedLoop: Sendable, Hashable {
    package var users: Int
    /// The users begin evenly over this time.
    package var rampSeconds: Double
    package var thinkTime: DurationDistribution

    package init(users: Int, rampSeconds: Double, thinkTime: DurationDistribution) {
      self.users = users
      self.rampSeconds = rampSeconds
      self.thinkTime = thinkTime
    }
  }

  package init(gaps: GapLaw, pace: Pace) {
    self.gaps = gaps
    self.pace = pace
  }

  // MARK: Common processes

  /// Independent exponential gaps.
  package static func poisson(rate: Double) -> ArrivalProcess {
    ArrivalProcess(gaps: .exponential, pace: .steady(rate: rate))
  }

  /// Independent gamma gaps; a shape below 1 is burstier than Poisson.
  package static func gamma(rate: Double, shape: Double) -> ArrivalProcess {
    ArrivalProcess(gaps: .gamma(shape: shape), pace: .steady(rate: rate))
  }

  /// Independent Weibull gaps; a shape below 1 is burstier than Poisson.
  package static func weibull(rate: Double, shape: Double) -> ArrivalProcess {
    ArrivalProcess(gaps: .weibull(shape: shape), pace: .steady(rate: rate))
  }

  /// One request every 1 / rate seconds, the first at 0.
  package static func constant(rate: Double) -> ArrivalProcess {
    ArrivalProcess(gaps: .equal, pace: .steady(rate: rate))
  }

  package static func onOff(_ process: OnOff) -> ArrivalProcess {
    ArrivalProcess(gaps: .exponential, pace: .onOff(process))
  }

  // MARK: Rates

  /// Arrivals a second in the long run; over all stages; nothing for a closed loop, whose rate the answers decide.
  package var meanRate: Double? {
    switch pace {
    case .steady(let rate): rate
    case .onOff(let process):
      (process.onRate * process.onSeconds + process.offRate * process.offSeconds)
        / (process.onSeconds + process.offSeconds)
    case .diurnal(let process): process.rate
    case .spikes(let process): process.meanRate
    case .stages(let stages):
      stages.list.reduce(0) { $0 + $1.rate * $1.seconds } / stages.list.reduce(0) { $0 + $1.seconds }
    case .closed: nil
    }
  }

  package var closedLoop: ClosedLoop? {
    if case .closed(let loop) = pace { loop } else { nil }
  }

  /// The same process with all rates multiplied: gaps keep their shape; phases, periods and stages their durations. A
  /// closed loop stays as it is.
  package func scaled(by factor: Double) -> ArrivalProcess {
    var scaled = self
    switch pace {
    case .steady(let rate): scaled.pace = .steady(rate: rate * factor)
    case .onOff(var process):
      process.onRate *= factor
      process.offRate *= factor
      scaled.pace = .onOff(process)
    case .diurnal(var process):
      process.rate *= factor
      scaled.pace = .diurnal(process)
    case .spikes(var process):
      process.rate *= factor
      scaled.pace = .spikes(process)
    case .stages(var stages):
      for index in stages.list.indices { stages.list[index].rate *= factor }
      scaled.pace = .stages(stages)
    case .closed: break
    }
    return scaled
  }

  /// The same process at another mean rate.
  /// - Precondition: `rate` is positive, and this is no closed loop.
  package func scaled(toRate rate: Double) -> ArrivalProcess {
    precondition(rate > 0 && rate.isFinite, "a request rate is positive")
    guard let mean = meanRate else { preconditionFailure("a closed loop has no rate to scale") }
    if case .steady = pace { return ArrivalProcess(gaps: gaps, pace: .steady(rate: rate)) }
    return scaled(by: rate / mean)
  }
}

extension ArrivalProcess.Spikes {
  /// Spikes at given times are over some day: the long run is the steady rate.
  var meanRate: Double {
    guard case .every(let every, _) = times else { return rate }
    return rate * (1 + (factor - 1) * seconds / every)
  }

  /// When a spike begins, counted from 0; nothing after the last.
  func beginning(_ index: Int) -> Double? {
    switch times {
    case .every(let every, let first): first + Double(index) * every
    case .at(let list): index < list.count ? list[index] : nil
    }
  }
}
