import Documents
import Hardware
import Quantities

/// The devices a plan runs on and the links between them, resolved from a device or system file.
package struct Platform: Sendable {
  package let name: String
  package let title: String
  /// What one rank of a plan runs on: a whole device, or one die of a package that holds several.
  package let device: Device
  /// Ranks in one package.
  package let dies: Int
  /// Accelerators the file describes; nothing when it describes one device that may be repeated.
  package let available: Int?
  /// Accelerators that share the fast links.
  package let perNode: Int?
  package let peerPath: LinkPath
  /// Between nodes; nothing when the file has one node.
  package let nodePath: LinkPath?
  package let price: Price?

  package init(
    name: String, title: String, device: Device, available: Int?, perNode: Int?, peerPath: LinkPath,
    nodePath: LinkPath? = nil, price: Price? = nil, dies: Int = 1
  ) {
    self.name = name
    self.title = title
    self.device = device
    self.available = available
    self.perNode = perNode
    self.peerPath = peerPath
    self.nodePath = nodePath
    self.price = price
    self.dies = dies
  }
}

extension Platform {
  /// The same platform with another device in each place.
  package func with(_ device: Device) -> Platform {
    Platform(
      name: name, title: title, device: device, available: available, perNode: perNode, peerPath: peerPath,
      nodePath: nodePath, price: price, dies: dies)
  }
}

/// The bandwidth and latency between two devices, one direction.
package struct LinkPath: Sendable, Equatable {
  package var name: String
  package var bandwidth: BytesPerSecond
  package var latency: Seconds
  /// Whether every pair has its own wires, so that a rank's bandwidth is split over its peers.
  package var isMesh: Bool
  /// Devices of the mesh, where the path says it; otherwise those of the node.
  package var meshSize: Int?

  package init(
    name: String, bandwidth: BytesPerSecond, latency: Seconds, isMesh: Bool = false, meshSize: Int? = nil
  ) {
    self.name = name
    self.bandwidth = bandwidth
    self.latency = latency
    self.isMesh = isMesh || meshSize != nil
    self.meshSize = meshSize
  }

  /// What some of the devices have among themselves: in a mesh, the wires to those left out are of no use.
  func among(_ ranks: Int, of all: Int) -> LinkPath {
    let all = meshSize ?? all
    guard isMesh, ranks < all else { return self }
    var path = self
    path.bandwidth = bandwidth * (Double(ranks - 1) / Double(all - 1))
    return path
  }
}

/// Resolves names of devices and systems into platforms.
package struct PlatformFinder: Sendable {
  package let devices: Catalogue<Device>
  package let systems: Catalogue<System>
  package let links: Catalogue<Link>

  package init(hardwareFolder: String) throws {
    devices = try Catalogue(folder: hardwareFolder + "/Devices")
    systems = try Catalogue(folder: hardwareFolder + "/Systems")
    links = try Catalogue(folder: hardwareFolder + "/Links")
  }

  /// The platform with a device's or a system's name; devices are searched first.
  package func find(_ name: String) throws -> Platform {
    do {
      return try platform(of: devices.find(name))
    } catch let unknown as UnknownName {
      do {
        return try platform(of: systems.find(name))
      } catch let other as UnknownName {
        throw UnknownName(
          title: "device or system", listed: unknown.listed + other.listed, name: name,
          nearest: unknown.nearest ?? other.nearest,
          count: unknown.count + other.count)
      }
    }
  }

  private func platform(of device: Device) throws -> Platform {
    // A computational drive has engines and memory too, but only helps a host.
    guard device.kind != .ssd, device.kind != .csd else {
      throw UnsuitableDevice(device: device.name, kind: device.kind)
    }
    return Platform(
      name: device.name, title: device.title, device: device.oneDie, available: nil, perNode: nil,
      peerPath: try ownPath(device.oneDie), dies: device.dies)
  }

  /// A device's peer link, or its way through the host.
  private func ownPath(_ device: Device) throws -> LinkPath {
    guard let own = device.link(.peer) ?? device.link(.host) ?? device.link(.network) else {
      // Alone in its box: nothing to talk to, and parallelism over it is refused by `Deployment`.
      return LinkPath(name: "none", bandwidth: .zero, latency: .zero)
    }
    var path = try path(links.find(own.link), count: own.count)
    path.isMesh = own.mesh != nil
    path.meshSize = own.mesh
    return path
  }

  private func path(_ link: Link, count: Int, topology: System.Topology = .switched) -> LinkPath {
    LinkPath(
      name: "\(count) x \(link.name)", bandwidth: link.bandwidth * Double(count), latency: link.latency,
      isMesh: topology == .mesh)
  }

  private func platform(of system: System) throws -> Platform {
    let (node, group) = try accelerators(of: system)
    var device = try devices.find(group.device)
    if let memory = group.memory, let main = device.memories.firstIndex(where: { $0.level == .main }) {
      device.memories[main].capacity = memory
    }
    let dies = device.dies
    device = device.oneDie
    let inside = system.connections.first { $0.from == group.id && $0.to == group.id }
    let across = system.connections.first { $0.from == node.name && $0.to == node.name }
    let joined = inside ?? system.connections.first { $0.from == group.id || $0.to == group.id }
    return Platform(
      name: system.name, title: system.title, device: device, available: node.count * group.count * dies,
      perNode: group.count * dies,
      peerPath: try joined.map { try path(links.find($0.link), count: max(1, $0.count / dies), topology: $0.topology) }
        ?? ownPath(device),
      nodePath: try across.map { try path(links.find($0.link), count: $0.count, topology: $0.topology) },
      price: system.price, dies: dies)
  }

  /// The group that computes: GPUs and NPUs first, then SoCs, then CPUs.
  private func accelerators(of system: System) throws -> (System.NodeGroup, System.DeviceGroup) {
    for kinds in [[DeviceKind.gpu, .npu], [.soc], [.cpu]] {
      for node in system.nodes {
        for group in node.devices where kinds.contains(try devices.find(group.device).kind) { return (node, group) }
      }
    }
    throw DataError(file: system.name, problem: "has no device that computes")
  }
}

/// A device that cannot run a model by itself.
package struct UnsuitableDevice: Error, CustomStringConvertible, Sendable {
  package let device: String
  package let kind: DeviceKind

  package var description: String {
    "\(device) is a drive (\(kind.rawValue)) and cannot run a model by itself; choose a gpu, npu, cpu or soc"
  }
}
