import Hardware
import Quantities

/// Processors of a place with memories of their own, and the processes that work on them.
///
/// The pages of a process that runs on several processors are dealt out over all their memories: of k of them, each
/// reads (k - 1) / k of its bytes over its links to the others, which may be slower than memory. A process for each
/// processor reads its own memory alone.
struct Sockets {
  /// The place, with the rate at which a processor reads.
  let place: Machine.Place

  /// - Throws: ``MachineError`` when processors that share pages have no link.
  init(_ index: Int, units: Int, _ machine: Machine, _ plan: PlacementPlan) throws(MachineError) {
    var place = machine.places[index]
    let shared = units.dividedUp(by: max(1, min(units, plan.workers(of: index, machine, unless: units))))
    guard shared > 1, let rate = place.device.mainMemory?.bandwidth else {
      self.place = place
      return
    }
    guard let wire = machine.wires.first(where: { $0.from == .place(index) && $0.to == .place(index) }) else {
      throw .noPath(from: place.name, to: "its other processors", machine: machine.name)
    }
    let away = Double(shared - 1) / Double(shared)
    place.device = place.device.withMemory(times: min(1, wire.bandwidth.value / (away * rate.value)))
    self.place = place
  }
}

extension PlacementPlan {
  /// Processes on a place, by its name or role.
  func workers(of place: Int, _ machine: Machine, unless standard: Int = 1) -> Int {
    for name in workers.keys.sorted() where (try? machine.resolve(name)) == place { return workers[name] ?? standard }
    return standard
  }

  /// Whether everything is where it is computed.
  var isLocal: Bool {
    weights.home == nil && kv.home == nil && attention.at == nil && experts.home == nil && stages.isEmpty
      && client == nil && tables == nil
  }
}

/// Weights that stay in the on-chip memory of the main devices from step to step.
struct OnChipWeights {
  /// Time to read all weights, over that from main memory.
  let factor: Double

  /// - Throws: ``PlacementError`` when the device's file gives no such memory.
  init(_ plan: PlacementPlan, _ site: Site, _ machine: Machine, _ parts: Placement.Parts) throws(PlacementError) {
    if plan.weights.onChip == .share(0) {
      factor = 1
      return
    }
    let device = machine.places[site.place].device
    guard let chip = device.memories.first(where: { $0.level == .scratchpad && $0.bandwidth != nil }),
      let rate = chip.bandwidth, let main = device.mainMemory?.bandwidth
    else { throw .noScratchpad(plan: plan.name, device: device.name) }
    let all = parts.graph.weightParts
    let size = all.dense + all.experts + all.tables
    let most = min(1, chip.capacity / size)
    let share: Double
    switch plan.weights.onChip {
    case .automatic: share = most
    case .share(let given):
      guard given <= most else {
        throw .doesNotFit(
          what: "the weights", place: "the on-chip memory of \(device.name)", needed: size * given, room: chip.capacity,
          hint: "lower 'weights.on_chip', or write 'auto'")
      }
      share = given
    }
    factor = 1 - share + share * min(1, main / rate)
  }
}

private func / (a: BytesPerSecond, b: BytesPerSecond) -> Double { a.value / b.value }
