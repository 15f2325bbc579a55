import Documents
import Quantities

/// Nodes with devices inside, joined by links: a server, a cluster, a laptop, a phone.
package struct System: Sendable {
  package enum Topology: String, CaseIterable, Sendable {
    case pointToPoint = "point-to-point"
    case switched, mesh, ring, torus, bus
  }

  package struct NodeGroup: Sendable {
    package var name: String
    package var count: Int
    package var devices: [DeviceGroup]
    package var overheadPower: Watts?
  }

  package struct DeviceGroup: Sendable {
    package var id: String
    package var device: String
    package var count: Int
    /// DRAM of each, when the system's differs from the device file's.
    package var memory: Bytes?
    /// Sequential read rate of each drive as measured in this system, in place of the device file's.
    package var read: BytesPerSecond?
  }

  package struct Connection: Sendable {
    package var from: String
    package var to: String
    package var link: String
    /// Units of the link each device (or node) has.
    package var count: Int
    package var topology: Topology
  }

  package var name: String
  package var title: String
  package var aliases: [String]
  package var notes: String?
  package var nodes: [NodeGroup]
  package var connections: [Connection]
  package var price: Price?
  package var citations: [String: String]
}

extension System: CatalogueEntry {
  package static let title = "system"

  package static func read(path: String, name: String) throws -> System {
    try YAMLDocument.read(path: path).strictObject { file in
      let sources = try SourceTable(file)
      let nodes = try file.required("nodes").array().map { try node($0, sources) }
      let system = System(
        name: try checkedName(file, name),
        title: try file.string("title"),
        aliases: try file.optionalStrings("aliases"),
        notes: try file.optionalString("notes"),
        nodes: nodes,
        connections: try file.optionalArray("links").map { try connection($0, nodes: nodes, sources) },
        price: try file.optional("price").map { try Price.parse($0, sources) },
        citations: sources.byField)
      guard !nodes.isEmpty else { throw file.node.error("'nodes' is empty, expected at least one") }
      return system
    }
  }

  private static func node(_ node: Node, _ sources: SourceTable) throws -> NodeGroup {
    try node.strictObject { block in
      _ = block.optional("source")
      try sources.cover(block, ["overhead_power"])
      let devices = try block.required("devices").array().map { item in
        try item.strictObject { device in
          try sources.cover(device, ["count", "memory", "read"])
          return DeviceGroup(
            id: try device.string("id"),
            device: try device.string("device"),
            count: try device.int("count", in: 1...100_000),
            memory: try device.optionalQuantity("memory", SizeDimension.self),
            read: try device.optionalQuantity("read", BandwidthDimension.self))
        }
      }
      return NodeGroup(
        name: try block.string("name"),
        count: try block.int("count", in: 1...100_000),
        devices: devices,
        overheadPower: try block.optionalQuantity("overhead_power", PowerDimension.self))
    }
  }

  private static func connection(_ node: Node, nodes: [NodeGroup], _ sources: SourceTable) throws -> Connection {
    try node.strictObject { block in
      try sources.cover(block, ["count"])
      let ends = nodes.map(\.name) + nodes.flatMap { $0.devices.map(\.id) }
      func end(_ key: String) throws -> String {
        let name = try block.string(key)
        guard ends.contains(name) else {
          throw try block.required(key).error(
            "\(shown(name)) is no node or device of this system", nearest: nearestName(to: name, among: ends))
        }
        return name
      }
      return Connection(
        from: try end("from"),
        to: try end("to"),
        link: try block.string("link"),
        count: try block.int("count", in: 1...1024),
        topology: try block.choice("topology", Topology.self))
    }
  }
}
