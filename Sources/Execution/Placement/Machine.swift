import CostModels
import Documents
import Hardware
import Quantities

/// Everything a system file describes that a step may use: processors and drives by node, and the wires between them.
package struct Machine: Sendable {
  /// The devices of one group of one node, which work as one: what is asked of them is spread evenly.
  package struct Place: Sendable {
    package var name: String
    package var device: Device
    /// Devices there are.
    package var units: Int
    /// Which node it stands in.
    package var node: Int
    /// Main memory of each, where the system's differs from the device file's.
    package var memory: Bytes
    /// Its own way to its host, one way, which all its wires of that kind share.
    package var port: BytesPerSecond?
    /// The place whose slower memory it is.
    package var tierOf: Int?
    package var isDrive: Bool { device.kind == .ssd || device.kind == .csd }
  }

  /// A link between two places of a node, or between nodes.
  package struct Wire: Sendable {
    package enum End: Sendable, Hashable {
      case place(Int)
      case node(Int)
    }

    package var name: String
    package var from: End
    package var to: End
    /// Of each device's own link, one way.
    package var bandwidth: BytesPerSecond
    package var latency: Seconds
    package var isFullDuplex: Bool
    /// What a byte that crosses it costs, where its link's file says so.
    package var energy: JoulesPerByte?
    /// Links of one medium that everybody shares have the same number.
    package var bus: Int?
    /// Whether it goes through the ports of the devices at its ends.
    package var usesPorts = false
    /// The network that it is a node's port into.
    package var network: String?
  }

  package let name: String
  package private(set) var places: [Place]
  package private(set) var wires: [Wire]
  package let nodes: [String]

  /// The accelerators that a plan's operators run on unless it says otherwise.
  package let main: Int

  /// Devices of a place and of those on other nodes that are like it.
  func units(like place: Int) -> Int {
    let device = places[place].device.name
    return places.reduce(0) { $0 + ($1.device.name == device ? $1.units : 0) }
  }

  package func index(of name: String) -> Int? { places.firstIndex { $0.name == name } }
}

/// Something a plan asks of a system that the system does not have.
package enum MachineError: Error, CustomStringConvertible, Sendable {
  case unknownPlace(name: String, machine: String, places: [String])
  case noSuchRole(role: String, machine: String, need: String)
  case noPath(from: String, to: String, machine: String)
  case tooManyUnits(place: String, wanted: Int, available: Int)

  package var description: String {
    switch self {
    case .unknownPlace(let name, let machine, let places):
      "\(machine) has no place '\(name)'; it has \(places.joined(separator: ", "))"
        + (nearestName(to: name, among: places).map { "; did you mean '\($0)'?" } ?? "")
    case .noSuchRole(let role, let machine, let need):
      "the plan needs \(need) ('\(role)') and \(machine) has none; choose a system that lists one "
        + "('ridgeline list systems')"
    case .noPath(let from, let to, let machine):
      "\(machine) has no link from \(from) to \(to), so the plan cannot move anything between them"
    case .tooManyUnits(let place, let wanted, let available):
      "the plan uses \(wanted) devices of \(place), which has \(available)"
    }
  }
}

extension Machine {
  /// What a plan calls a place by what it does: `main`, `host`, `storage`, `csd`; any other word is a place's name.
  package func resolve(_ role: String) throws(MachineError) -> Int {
    if role == "main" { return main }
    if let named = index(of: role) { return named }
    let near = places.indices.filter { places[$0].node == places[main].node } + places.indices
    switch role {
    case "host":
      if let cpu = near.first(where: {
        places[$0].device.kind == .cpu && $0 != main && !places[$0].device.engines.isEmpty
      }) {
        return cpu
      }
      throw .noSuchRole(role: role, machine: name, need: "a host processor with memory")
    case "storage":
      if let drive = near.first(where: { places[$0].device.kind == .ssd }) { return drive }
      throw .noSuchRole(role: role, machine: name, need: "a drive")
    case "csd":
      if let drive = near.first(where: { places[$0].device.kind == .csd }) { return drive }
      throw .noSuchRole(role: role, machine: name, need: "a computational drive")
    default: throw .unknownPlace(name: role, machine: name, places: places.map(\.name))
    }
  }

  /// One stretch of the way between two places: a wire, and whether it is taken from its first end to its second.
  package struct Hop: Sendable, Equatable {
    package var wire: Int
    package var forward: Bool
    /// The place it leads to; nothing where it only reaches another node.
    package var through: Int?
  }

  /// The way with the fewest wires; ties go to the one listed first.
  /// - Complexity: O(places x wires).
  package func path(from start: Int, to goal: Int) throws(MachineError) -> [Hop] {
    guard start != goal else { return [] }
    if places[start].node != places[goal].node { return try nodePath(from: start, to: goal) }
    var reached: [Int: [Hop]] = [start: []]
    var frontier = [start]
    while !frontier.isEmpty, reached[goal] == nil {
      var next: [Int] = []
      for place in frontier {
        for (index, wire) in wires.enumerated() {
          guard let other = neighbour(of: place, over: wire), reached[other.place] == nil else { continue }
          reached[other.place] =
            (reached[place] ?? []) + [Hop(wire: index, forward: other.forward, through: other.place)]
          next.append(other.place)
        }
      }
      frontier = next
    }
    guard let path = reached[goal] else {
      throw .noPath(from: places[start].name, to: places[goal].name, machine: name)
    }
    return path
  }

  private func neighbour(of place: Int, over wire: Wire) -> (place: Int, forward: Bool)? {
    switch (wire.from, wire.to) {
    case (.place(place), .place(let other)) where other != place: (other, true)
    case (.place(let other), .place(place)) where other != place: (other, false)
    default: nil
    }
  }

  /// Between nodes: one wire that joins them, or the port of each into a network that both are on. The way from a
  /// device to its node's port is wider than the network and left out.
  private func nodePath(from start: Int, to goal: Int) throws(MachineError) -> [Hop] {
    let (a, b) = (places[start].node, places[goal].node)
    for (index, wire) in wires.enumerated() {
      if wire.from == .node(a), wire.to == .node(b), a != b { return [Hop(wire: index, forward: true, through: goal)] }
      if wire.from == .node(b), wire.to == .node(a), a != b { return [Hop(wire: index, forward: false, through: goal)] }
    }
    let out = wires.firstIndex { $0.from == .node(a) && $0.to == .node(a) }
    let into = wires.firstIndex { $0.from == .node(b) && $0.to == .node(b) }
    guard let out, let into, wires[out].network == wires[into].network else {
      throw .noPath(from: places[start].name, to: places[goal].name, machine: name)
    }
    return [Hop(wire: out, forward: true, through: nil), Hop(wire: into, forward: false, through: goal)]
  }

  // MARK: Other hardware

  /// A rate of the machine that could be bought more of.
  package enum Rate: Sendable, Hashable {
    case compute(Int)
    case memory(Int)
    case wire(Int)
    case storage(Int)
  }

  /// The same machine with one rate multiplied.
  package func scaled(_ rate: Rate, by factor: Double) -> Machine {
    var copy = self
    switch rate {
    case .compute(let place): copy.places[place].device = places[place].device.withCompute(times: factor)
    case .memory(let place): copy.places[place].device = places[place].device.withMemory(times: factor)
    case .wire(let wire):
      for index in wires.indices where index == wire || name(of: .wire(index)) == name(of: rate) {
        copy.wires[index].bandwidth = wires[index].bandwidth * factor
        guard wires[index].usesPorts else { continue }
        for case .place(let end) in [wires[index].from, wires[index].to] {
          copy.places[end].port = places[end].port.map { $0 * factor }
        }
      }
    case .storage(let place): copy.places[place].device = places[place].device.withStorage(times: factor)
    }
    return copy
  }

  /// The same machine with work dealt out evenly over unlike cores.
  var withEvenSplit: Machine {
    var copy = self
    for index in places.indices { copy.places[index].device = places[index].device.withEvenSplit }
    return copy
  }

  package func name(of rate: Rate) -> String {
    switch rate {
    case .compute(let place): "\(places[place].name) compute"
    case .memory(let place): "\(places[place].name) memory bandwidth"
    case .wire(let wire): "\(wires[wire].network ?? wires[wire].name) bandwidth"
    case .storage(let place): "\(places[place].name) read rate"
    }
  }
}
