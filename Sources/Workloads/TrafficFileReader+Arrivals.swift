import Documents
import Quantities

extension TrafficFileReader {
  private enum Process: String, CaseIterable {
    case poisson, gamma, weibull, constant, diurnal, spikes, stages
    case onOff = "on-off"
    case closedLoop = "closed-loop"

    /// The keys of its numbers.
    var numbers: [String] {
      switch self {
      case .poisson, .constant: ["rate_per_s"]
      case .gamma, .weibull: ["rate_per_s", "shape", "cv"]
      case .onOff: ["rate_on_per_s", "rate_off_per_s", "on_s", "off_s"]
      case .diurnal: ["rate_per_s", "amplitude", "period", "peak_at", "cv"]
      case .spikes: ["rate_per_s", "factor", "duration", "every", "first_at", "at", "cv"]
      case .stages: ["stages", "cv"]
      case .closedLoop: ["users", "ramp"]
      }
    }
  }

  private static let rates = 1e-6...1e6
  /// Phases, periods and stages, in seconds: no shorter, no longer.
  private static let durations = 1e-3...1e9

  func arrivals(_ node: Node) throws -> ArrivalProcess {
    try node.strictObject { block in
      let process = try block.choice("process", Process.self)
      try sources.cover(block, process.numbers)
      switch process {
      case .poisson: return .poisson(rate: try rate(block))
      case .constant: return .constant(rate: try rate(block))
      case .gamma: return .gamma(rate: try rate(block), shape: try gammaShape(block))
      case .weibull: return .weibull(rate: try rate(block), shape: try weibullShape(block))
      case .onOff: return .onOff(try onOff(block))
      case .diurnal: return ArrivalProcess(gaps: try gaps(block), pace: .diurnal(try diurnal(block)))
      case .spikes: return ArrivalProcess(gaps: try gaps(block), pace: .spikes(try spikes(block)))
      case .stages: return try stages(block)
      case .closedLoop: return ArrivalProcess(gaps: .equal, pace: .closed(try closedLoop(block)))
      }
    }
  }

  private func rate(_ block: ObjectReader) throws -> Double { try block.double("rate_per_s", in: Self.rates) }

  // MARK: Gaps

  /// Exponential gaps, or gamma gaps with a coefficient of variation.
  private func gaps(_ block: ObjectReader) throws -> GapLaw {
    let variation = try block.optionalDouble("cv", in: 0...1e2) ?? 1
    guard variation == 0 || variation >= 1e-3 else {
      throw try block.required("cv").error("found \(variation), expected 0 or a number from 0.001")
    }
    return .varying(variation)
  }

  /// A gamma distribution's shape, given as such or as the coefficient of variation.
  private func gammaShape(_ block: ObjectReader) throws -> Double {
    try shape(block, in: 1e-4...1e6) { variation in 1 / (variation * variation) }
  }

  private func weibullShape(_ block: ObjectReader) throws -> Double {
    try shape(block, in: 0.1...100) { variation in
      guard let shape = GapLaw.weibullShape(variation: variation) else {
        throw try block.required("cv").error("found \(variation), expected one of a shape from 0.1 to 100")
      }
      return shape
    }
  }

  private func shape(_ block: ObjectReader, in range: ClosedRange<Double>, of variation: (Double) throws -> Double)
    throws -> Double
  {
    let shape = try block.optionalDouble("shape", in: range)
    let given = try block.optionalDouble("cv", in: 1e-3...1e2)
    switch (shape, given) {
    case (let shape?, nil): return shape
    case (nil, let given?): return try variation(given)
    case (nil, nil): throw block.node.error("'shape' or 'cv' is missing")
    case (_?, _?): throw block.node.error("has both 'shape' and 'cv', expected one of them")
    }
  }

  // MARK: Paces

  private func onOff(_ block: ObjectReader) throws -> ArrivalProcess.OnOff {
    let process = ArrivalProcess.OnOff(
      onRate: try block.double("rate_on_per_s", in: 0...Self.rates.upperBound),
      offRate: try block.double("rate_off_per_s", in: 0...Self.rates.upperBound),
      onSeconds: try block.double("on_s", in: Self.durations),
      offSeconds: try block.double("off_s", in: Self.durations),
      phases: try block.optionalChoice("phases", ArrivalProcess.OnOff.Phases.self) ?? .exponential)
    let inCycle = process.onRate * process.onSeconds + process.offRate * process.offSeconds
    guard inCycle >= 1e-3 else {
      throw block.node.error("brings \(inCycle) requests in a cycle of on and off, expected at least 0.001")
    }
    return process
  }

  private func diurnal(_ block: ObjectReader) throws -> ArrivalProcess.Diurnal {
    ArrivalProcess.Diurnal(
      rate: try rate(block),
      amplitude: try block.double("amplitude", in: 0...1),
      periodSeconds: try duration(block, "period"),
      peakSeconds: try block.optional("peak_at").map { try time($0) } ?? 0)
  }

  private func spikes(_ block: ObjectReader) throws -> ArrivalProcess.Spikes {
    let seconds = try duration(block, "duration")
    return ArrivalProcess.Spikes(
      rate: try rate(block), factor: try block.double("factor", in: 0...1e4), seconds: seconds,
      times: try spikeTimes(block, seconds))
  }

  private func spikeTimes(_ block: ObjectReader, _ seconds: Double) throws -> ArrivalProcess.Spikes.Times {
    let every = try block.optional("every").map { try duration(block, "every", $0) }
    let list = try block.optional("at")?.array()
    switch (every, list) {
    case (let every?, nil):
      guard every > seconds else {
        throw try block.required("every").error("is no longer than the spike, expected a longer time")
      }
      return .every(seconds: every, first: try block.optional("first_at").map { try time($0) } ?? every)
    case (nil, let list?): return .at(try spikeList(list, seconds))
    default:
      throw block.node.error(
        "has \(every == nil ? "neither 'every' nor 'at'" : "both 'every' and 'at'"), expected one of them")
    }
  }

  private func spikeList(_ list: [Node], _ seconds: Double) throws -> [Double] {
    var end = 0.0
    return try list.map { node in
      let beginning = try time(node)
      guard beginning >= end else { throw node.error("begins before the last spike ends, at \(end) s") }
      end = beginning + seconds
      return beginning
    }
  }

  private func stages(_ block: ObjectReader) throws -> ArrivalProcess {
    let nodes = try block.required("stages").array()
    guard (1...10_000).contains(nodes.count) else {
      throw try block.required("stages").error("has \(nodes.count) stages, expected 1 to 10000")
    }
    let list = try nodes.map { node in
      try node.strictObject { stage in
        ArrivalProcess.Stages.Stage(
          rate: try stage.double("rate_per_s", in: 0...Self.rates.upperBound), seconds: try duration(stage, "duration"))
      }
    }
    let expected = list.reduce(0) { $0 + $1.rate * $1.seconds }
    guard expected >= 1 else { throw block.node.error("brings \(expected) requests in all, expected at least 1") }
    let counts = try block.optionalChoice("counts", ArrivalProcess.Stages.Counts.self) ?? .random
    let gaps = try gaps(block)
    guard counts == .random || gaps == .exponential else {
      throw try block.required("cv").error("does not go with 'counts: exact', whose times are uniform")
    }
    return ArrivalProcess(gaps: gaps, pace: .stages(ArrivalProcess.Stages(list: list, counts: counts)))
  }

  private func closedLoop(_ block: ObjectReader) throws -> ArrivalProcess.ClosedLoop {
    ArrivalProcess.ClosedLoop(
      users: try block.int("users", in: 1...10_000_000),
      rampSeconds: try block.optional("ramp").map { try time($0) } ?? 0,
      thinkTime: try block.optional("think_time").map(durations) ?? .fixed(seconds: 0))
  }

  // MARK: Times

  /// A duration that cannot be 0, in seconds.
  private func duration(_ block: ObjectReader, _ key: String, _ node: Node? = nil) throws -> Double {
    let node = try node ?? block.required(key)
    let seconds = try node.quantity(TimeDimension.self).value
    guard Self.durations.contains(seconds) else {
      throw node.error("found \(node.found), expected a time from 1 ms to 31 years")
    }
    return seconds
  }

  /// A time that may be 0, in seconds.
  func time(_ node: Node) throws -> Double {
    let seconds = try node.quantity(TimeDimension.self, allowingZero: true).value
    guard seconds <= Self.durations.upperBound else {
      throw node.error("found \(node.found), expected a time of at most 31 years")
    }
    return seconds
  }
}
