import Quantities

extension Device {
  /// The device with all its arithmetic faster or slower.
  package func withCompute(times factor: Double) -> Device {
    var copy = self
    copy.engines = engines.map { engine in
      var engine = engine
      engine.peaks = engine.peaks.map { Peak(input: $0.input, accumulator: $0.accumulator, rate: $0.rate * factor) }
      return engine
    }
    copy.operatorRates = operatorRates.map { item in
      var item = item
      switch item.rate {
      case .compute(let rate): item.rate = .compute(rate * factor)
      case .stream(let rate): item.rate = .stream(rate * factor)
      }
      return item
    }
    return copy
  }

  /// The processor when each core gets an equal part of the work, so that all wait for the slowest class that does such
  /// arithmetic; with work in proportion to their rates, rates of classes add up.
  package var withEvenSplit: Device {
    guard kind == .cpu else { return self }
    var copy = self
    copy.engines = engines.map { engine in
      var engine = engine
      engine.peaks = engine.peaks.map { peak in
        let each = engines.filter { $0.style == engine.style }.flatMap { other in
          other.peaks.filter { $0.input == peak.input && $0.accumulator == peak.accumulator }
            .map { $0.rate * (1 / Double(other.units)) }
        }
        let slowest = each.min() ?? peak.rate * (1 / Double(engine.units))
        return Peak(input: peak.input, accumulator: peak.accumulator, rate: slowest * Double(engine.units))
      }
      return engine
    }
    return copy
  }

  /// The device with its main memory faster or slower.
  package func withMemory(times factor: Double) -> Device {
    var copy = self
    for index in memories.indices where memories[index].level == .main {
      copy.memories[index].bandwidth = memories[index].bandwidth.map { $0 * factor }
    }
    return copy
  }

  /// The drive with faster or slower flash.
  package func withStorage(times factor: Double) -> Device {
    var copy = self
    guard let storage else { return copy }
    copy.storage?.read = storage.read * factor
    copy.storage?.channelRate = storage.channelRate.map { $0 * factor }
    copy.storage?.randomReadsPerSecond = storage.randomReadsPerSecond.map { Int((Double($0) * factor).rounded()) }
    return copy
  }
}
