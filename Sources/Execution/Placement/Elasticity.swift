import ModelGraph
import Quantities

/// How much shorter a step gets with more of one rate.
package struct Elasticity: Sendable {
  package var rate: Machine.Rate
  package var name: String
  /// Per cent of the step's time saved for each per cent of the rate; 1 when the step waits for nothing else.
  package var value: Double
}

extension Placement {
  private static let more = 1.01

  /// The elasticity of a step's time to each rate of the machine, largest first.
  ///
  /// Each rate is made a hundredth larger, and the step scheduled anew.
  package func elasticities(_ step: StepShape) throws -> [Elasticity] {
    let base = schedule(step).time
    var found: [Elasticity] = []
    for rate in rates {
      let faster = try scaled(rate, by: Self.more).schedule(step).time
      let value = (base.value / faster.value - 1) / (Self.more - 1)
      found.append(Elasticity(rate: rate, name: machine.name(of: rate), value: value))
    }
    return found.enumerated().sorted { ($1.element.value, $0.offset) < ($0.element.value, $1.offset) }.map(\.element)
  }

  /// Rates of the places in use and of the wires between them.
  private var rates: [Machine.Rate] {
    var rates: [Machine.Rate] = []
    for place in map.sites.keys.sorted() {
      if machine.places[place].isDrive {
        rates.append(.storage(place))
        if machine.places[place].device.kind == .csd { rates.append(.compute(place)) }
      } else {
        if map.sites[place]?.pricer != nil { rates.append(.compute(place)) }
        rates.append(.memory(place))
      }
    }
    var named: Set<String> = []
    for wire in Set(paths.values.flatMap { $0.map(\.wire) }).sorted()
    where named.insert(machine.name(of: .wire(wire))).inserted {
      rates.append(.wire(wire))
    }
    return rates
  }
}
