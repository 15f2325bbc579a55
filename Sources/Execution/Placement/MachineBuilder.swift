import CostModels
import Documents
import Hardware
import Quantities

/// Reads a machine off a device or system file.
struct MachineBuilder {
  let finder: PlatformFinder

  /// Nodes of one kind beyond which a plan no longer names them one by one.
  private static let mostNodes = 64

  /// - Throws: ``DataError`` or ``UnknownName``.
  func machine(_ platform: Platform, name: String) throws -> Machine {
    if let device = try? finder.devices.find(name) { return alone(device, platform) }
    return try machine(of: finder.systems.find(name), platform)
  }

  private func alone(_ device: Device, _ platform: Platform) -> Machine {
    let place = Machine.Place(
      name: device.name, device: platform.device, units: platform.dies, node: 0,
      memory: platform.device.mainMemory?.capacity ?? .zero)
    var places = [place]
    var wires: [Machine.Wire] = []
    addTiers(&places, &wires)
    return Machine(name: device.name, places: places, wires: wires, nodes: [device.name], main: 0)
  }

  /// A slower, larger level of a device's own memory is a place beside it: 'tier', or the place's name and '-tier'.
  private func addTiers(_ places: inout [Machine.Place], _ wires: inout [Machine.Wire]) {
    let withTiers = places.indices.filter { index in places[index].device.memories.contains { $0.level == .tier } }
    for index in withTiers {
      let owner = places[index]
      guard let tier = owner.device.memories.first(where: { $0.level == .tier }), let rate = tier.bandwidth else {
        continue
      }
      var store = owner.device
      store.kind = .cpu
      store.engines = []
      store.memories = [tier]
      store.memories[0].level = .main
      store.power.idle = .zero
      store.power.cap = .zero
      let name = withTiers.count == 1 ? "tier" : owner.name + "-tier"
      places.append(
        Machine.Place(
          name: name, device: store, units: owner.units, node: owner.node, memory: tier.capacity,
          tierOf: index))
      wires.append(
        Machine.Wire(
          name: "\(owner.name)-\(name)", from: .place(index), to: .place(places.count - 1), bandwidth: rate,
          latency: tier.latency ?? .zero, isFullDuplex: false))
    }
  }

  private func machine(of system: System, _ platform: Platform) throws -> Machine {
    var places: [Machine.Place] = []
    var nodes: [String] = []
    var groups: [String: [Int]] = [:]
    var nodeIndices: [String: [Int]] = [:]
    for group in system.nodes {
      let copies = min(group.count, Self.mostNodes)
      for copy in 1...copies {
        let suffix = copies > 1 ? ".\(copy)" : ""
        nodes.append(group.name + suffix)
        nodeIndices[group.name, default: []].append(nodes.count - 1)
        for devices in group.devices {
          groups[devices.id, default: []].append(places.count)
          places.append(try place(devices, suffix: suffix, node: nodes.count - 1))
        }
      }
    }
    let main = places.firstIndex { $0.device.name == platform.device.name } ?? 0
    var wires = try system.connections.flatMap { try self.wires($0, system, groups, nodeIndices, places) }
    addTiers(&places, &wires)
    return Machine(name: system.name, places: places, wires: wires, nodes: nodes, main: main)
  }

  private func place(_ group: System.DeviceGroup, suffix: String, node: Int) throws -> Machine.Place {
    let whole = try finder.devices.find(group.device)
    var device = whole.oneDie
    let memory = group.memory ?? whole.mainMemory?.capacity ?? .zero
    if let main = device.memories.firstIndex(where: { $0.level == .main }) {
      device.memories[main].capacity = memory * (1 / Double(whole.dies))
    }
    if let read = group.read { device.storage?.read = read }
    return Machine.Place(
      name: group.id + suffix, device: device, units: group.count * whole.dies, node: node,
      memory: memory * (1 / Double(whole.dies)), port: try port(device))
  }

  /// The PCIe lanes of a device, all of them.
  private func port(_ device: Device) throws -> BytesPerSecond? {
    guard let host = device.link(.host) else { return nil }
    let link = try finder.links.find(host.link)
    return link.medium == .pcie ? link.bandwidth * Double(host.count) : nil
  }

  /// The wires of one line of the file: one for each node it exists in, or each pair of nodes it joins.
  private func wires(
    _ connection: System.Connection, _ system: System, _ groups: [String: [Int]], _ nodes: [String: [Int]],
    _ places: [Machine.Place]
  ) throws -> [Machine.Wire] {
    let link = try finder.links.find(connection.link)
    let bus = connection.topology == .bus ? finder.links.names.firstIndex(of: link.name) : nil
    func wire(_ from: Machine.Wire.End, _ to: Machine.Wire.End, _ name: String) -> Machine.Wire {
      Machine.Wire(
        name: bus == nil ? name : link.name, from: from, to: to, bandwidth: link.bandwidth * Double(connection.count),
        latency: link.latency, isFullDuplex: link.duplex == .full, energy: link.energy, bus: bus,
        usesPorts: link.medium == .pcie)
    }
    if let from = nodes[connection.from], let to = nodes[connection.to] {
      guard connection.from != connection.to else {
        return from.enumerated().map { copy, node in
          var port = wire(
            .node(node), .node(node), "\(connection.from)\(from.count > 1 ? ".\(copy + 1)" : "") \(link.name)")
          port.network = link.name
          return port
        }
      }
      return from.flatMap { a in
        to.map { b in wire(.node(a), .node(b), "\(connection.from)-\(connection.to) \(link.name)") }
      }
    }
    let from = groups[connection.from] ?? []
    let to = groups[connection.to] ?? []
    return from.flatMap { a in
      to.filter { places[$0].node == places[a].node }.map { b in
        wire(.place(a), .place(b), "\(places[a].name)-\(places[b].name) \(link.name)")
      }
    }
  }
}
