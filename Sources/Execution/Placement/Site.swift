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
  /// Its way to others of its group: messages go beside the next part's arithmetic.
  var peers: Int
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
  /// The component that each wire's energy is told by; nothing where no file gives one.
  var wireComponents: [Int?] = []
  var runtime = 0
  /// The hosts of other nodes, by node.
  var hosts: [Int: Int] = [:]

  private mutating func add(_ resource: ScheduleResource) -> Int {
    resources.append(resource)
    return resources.count - 1
  }

  init(_ machine: Machine) {
    runtime = add(.engine("runtime", .host))
    wireComponents = [Int?](repeating: nil, count: machine.wires.count)
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

  /// Tells the energy of wires that something crosses by themselves; a shared medium is one.
  mutating func tellEnergy(of wires: Set<Int>, _ machine: Machine) {
    for index in wires.sorted() {
      let wire = machine.wires[index]
      guard wire.energy != nil else { continue }
      let twin = machine.wires.indices.first { wire.bus != nil && machine.wires[$0].bus == wire.bus }
      if let known = twin.flatMap({ wireComponents[$0] }) {
        wireComponents[index] = known
        continue
      }
      components.append(ScheduleComponent(name: wire.name, standing: .zero))
      wireComponents[index] = components.count - 1
    }
  }

  /// The host that launches on a node other than the main one.
  mutating func addHost(of node: Int, named name: String) {
    guard hosts[node] == nil else { return }
    hosts[node] = add(.engine("\(name) runtime", .host))
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
      peers: add(.engine(place.name + " peers", .link)),
      memory: add(
        .shared(place.name + (place.isDrive ? " controller" : " memory"), place.isDrive ? .storage : .memory, bandwidth)
      ),
      flash: flash.map { add(.shared(place.name + " flash", .storage, $0)) },
      portIn: place.port.map { add(.shared(place.name + " port in", .link, $0)) },
      portOut: place.port.map { add(.shared(place.name + " port out", .link, $0)) })
  }
}
