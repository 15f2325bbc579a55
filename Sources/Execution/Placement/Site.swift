import CostModels
import Hardware
import ModelGraph
import Quantities

/// A place that a plan uses, with the resources a schedule knows it by. Numbers are of one of its devices, which all do
/// the same.
struct Site: Sendable {
  var place: Int
  /// Devices in use.
  var units: Int
  /// Prices its operators; nothing for drives.
  var pricer: OperatorPricer?
  /// Power of one device whatever it does.
  var standing: Watts
  var component: Int

  // Resources, by number.
  var engine: Int
  var copyIn: Int
  var copyOut: Int
  /// Main memory, or what a drive reads through its controller.
  var memory: Int
  /// Inside a computational drive.
  var flash: Int?
  var portIn: Int?
  var portOut: Int?
}

/// The resources of a machine, numbered.
struct ResourceMap: Sendable {
  var resources: [ScheduleResource] = []
  var components: [ScheduleComponent] = []
  var sites: [Int: Site] = [:]
  /// Both directions of each wire.
  var forward: [Int] = []
  var backward: [Int] = []
  var runtime = 0

  private mutating func add(_ resource: ScheduleResource) -> Int {
    resources.append(resource)
    return resources.count - 1
  }

  init(_ machine: Machine) {
    runtime = add(.engine("runtime", .host))
    var buses: [Int: Int] = [:]
    for wire in machine.wires {
      if let bus = wire.bus {
        let shared = buses[bus] ?? add(.shared(wire.name, .link, wire.bandwidth))
        buses[bus] = shared
        forward.append(shared)
        backward.append(shared)
        continue
      }
      forward.append(add(.shared(wire.isFullDuplex ? wire.name + " >" : wire.name, .link, wire.bandwidth)))
      backward.append(
        wire.isFullDuplex ? add(.shared(wire.name + " <", .link, wire.bandwidth)) : forward[forward.count - 1])
    }
  }

  /// Takes a place into use.
  mutating func use(_ index: Int, _ place: Machine.Place, units: Int, pricer: OperatorPricer?, computes: Bool) {
    let device = place.device
    let storage = device.storage
    let working = pricer.map { $0.constants[.powerStatic] * device.power.cap } ?? device.power.idle
    let standing = computes ? working : device.power.idle
    components.append(ScheduleComponent(name: place.name, standing: standing * Double(units)))
    let bandwidth = storage?.read ?? device.mainMemory?.bandwidth ?? .zero
    let flash = storage.flatMap { item in item.channels.flatMap { n in item.channelRate.map { $0 * Double(n) } } }
    sites[index] = Site(
      place: index, units: units, pricer: pricer, standing: standing, component: components.count - 1,
      engine: add(.engine(place.name, .compute)), copyIn: add(.engine(place.name + " copies in", .copy)),
      copyOut: add(.engine(place.name + " copies out", .copy)),
      memory: add(
        .shared(place.name + (place.isDrive ? " controller" : " memory"), place.isDrive ? .storage : .memory, bandwidth)
      ),
      flash: flash.map { add(.shared(place.name + " flash", .storage, $0)) },
      portIn: place.port.map { add(.shared(place.name + " port in", .link, $0)) },
      portOut: place.port.map { add(.shared(place.name + " port out", .link, $0)) })
  }
}
