import Documents
import Hardware
import Quantities

/// A number of a platform that may be asked after: what if it were larger?
package enum HardwareNumber: String, CaseIterable, Sendable {
  case compute
  case memoryBandwidth = "memory_bandwidth"
  case memoryCapacity = "memory_capacity"
  case linkBandwidth = "link_bandwidth"
  case linkLatency = "link_latency"
  case power
  case price

  package var title: String {
    switch self {
    case .compute: "compute rate"
    case .memoryBandwidth: "memory bandwidth"
    case .memoryCapacity: "memory capacity"
    case .linkBandwidth: "link bandwidth"
    case .linkLatency: "link latency"
    case .power: "power limit and idle power"
    case .price: "price"
    }
  }
}

/// Factors on a platform's numbers, for devices that do not exist and for sensitivities. Calibrated shares of peaks stay.
package struct HardwareScale: Sendable, Hashable {
  private var factors = [Double](repeating: 1, count: HardwareNumber.allCases.count)

  package init() {}

  package subscript(number: HardwareNumber) -> Double {
    get { factors[number.position] }
    set { factors[number.position] = newValue }
  }

  package var isIdentity: Bool { factors.allSatisfy { $0 == 1 } }

  /// Reads a table of factors, each from a thousandth to a thousand.
  package static func parse(_ node: Node) throws -> HardwareScale {
    try node.strictObject { table in
      var scale = HardwareScale()
      for number in HardwareNumber.allCases {
        scale[number] = try table.optionalDouble(number.rawValue, in: 0.001...1000) ?? 1
      }
      return scale
    }
  }

  /// For people: `1.2 x compute rate`.
  package var text: String {
    HardwareNumber.allCases.filter { self[$0] != 1 }
      .map { "\(roundedText(self[$0], significantDigits: 4)) x \($0.title)" }.joined(separator: ", ")
  }
}

extension HardwareNumber {
  fileprivate var position: Int {
    switch self {
    case .compute: 0
    case .memoryBandwidth: 1
    case .memoryCapacity: 2
    case .linkBandwidth: 3
    case .linkLatency: 4
    case .power: 5
    case .price: 6
    }
  }
}

extension Platform {
  /// The platform with its numbers multiplied; it keeps its name, and with it its calibrations.
  package func scaled(by scale: HardwareScale) -> Platform {
    guard !scale.isIdentity else { return self }
    return Platform(
      name: name, title: title, device: device.scaled(by: scale), available: available, perNode: perNode,
      peerPath: peerPath.scaled(by: scale), nodePath: nodePath?.scaled(by: scale),
      price: price?.scaled(by: scale[.price]), dies: dies)
  }
}

extension LinkPath {
  fileprivate func scaled(by scale: HardwareScale) -> LinkPath {
    var path = self
    path.bandwidth = bandwidth * scale[.linkBandwidth]
    path.latency = latency * scale[.linkLatency]
    return path
  }
}

extension Price {
  fileprivate func scaled(by factor: Double) -> Price {
    var price = self
    price.purchase = purchase.map { $0 * factor }
    price.memoryHourly = memoryHourly.map { $0 * factor }
    price.hourly = hourly.map { $0 * factor }
    return price
  }
}

extension Device {
  fileprivate func scaled(by scale: HardwareScale) -> Device {
    var device = self
    device.engines = engines.map { engine in
      var engine = engine
      for index in engine.peaks.indices { engine.peaks[index].rate = engine.peaks[index].rate * scale[.compute] }
      return engine
    }
    device.memories = memories.map { memory in
      guard memory.level == .main else { return memory }
      var memory = memory
      memory.capacity = memory.capacity * scale[.memoryCapacity]
      memory.bandwidth = memory.bandwidth.map { $0 * scale[.memoryBandwidth] }
      return memory
    }
    device.power.idle = power.idle * scale[.power]
    device.power.cap = power.cap * scale[.power]
    device.power.capMinimum = power.capMinimum.map { $0 * scale[.power] }
    device.price = price?.scaled(by: scale[.price])
    return device
  }
}
