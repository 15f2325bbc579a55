/// How fast tasks go that share rates: max-min fair.
///
/// Every task would go at its own full speed. Where a resource cannot carry all of them, their flows are raised
/// together until it is full; what one cannot use because something else holds it back goes to the others.
struct RateSharing {
  /// A task at work: bytes a second at full speed, and what it takes of each resource a second then.
  struct Flow {
    var rate: Double
    var demands: [ResourceDemand]
  }

  private let capacity: [Double]
  private var used: [Double]
  private var touched: [Int] = []

  /// - Parameter capacity: Units a second by resource; infinite for engines.
  init(capacity: [Double]) {
    self.capacity = capacity
    used = [Double](repeating: 0, count: capacity.count)
  }

  /// The speed of each flow, as a share of its full speed.
  /// - Complexity: O(flows x demands) when all fit; O(flows^2 x demands) otherwise.
  mutating func speeds(of flows: [Flow]) -> [Double] {
    if allFit(flows) { return [Double](repeating: 1, count: flows.count) }
    return fill(flows)
  }

  private mutating func allFit(_ flows: [Flow]) -> Bool {
    clear()
    for flow in flows {
      for demand in flow.demands { take(demand.resource, demand.amount) }
    }
    return touched.allSatisfy { used[$0] <= capacity[$0] * (1 + 1e-12) }
  }

  /// Progressive filling: the level of all open flows rises to the next resource that is full or flow that is satisfied.
  private mutating func fill(_ flows: [Flow]) -> [Double] {
    var speeds = [Double](repeating: 0, count: flows.count)
    var open = Set(flows.indices).sorted()
    clear()
    while !open.isEmpty {
      let (level, full) = nextLevel(flows, open)
      var left: [Int] = []
      for index in open {
        let flow = flows[index]
        let held = full.map { resource in flow.demands.contains { $0.resource == resource && $0.amount > 0 } } ?? false
        guard held || flow.rate <= level * (1 + 1e-12) else {
          left.append(index)
          continue
        }
        speeds[index] = min(1, level / flow.rate)
        for demand in flow.demands { take(demand.resource, demand.amount * speeds[index]) }
      }
      open = left
    }
    return speeds
  }

  /// The lowest level at which something happens, and the resource that is then full; nothing when a flow is satisfied.
  private func nextLevel(_ flows: [Flow], _ open: [Int]) -> (level: Double, full: Int?) {
    var level = Double.infinity
    var full: Int?
    for index in open where flows[index].rate < level { level = flows[index].rate }
    var slopes: [Int: Double] = [:]
    for index in open {
      for demand in flows[index].demands where demand.amount > 0 {
        slopes[demand.resource, default: 0] += demand.amount / flows[index].rate
      }
    }
    for (resource, slope) in slopes.sorted(by: { $0.key < $1.key }) {
      let reached = max(0, capacity[resource] - used[resource]) / slope
      if reached < level {
        level = reached
        full = resource
      }
    }
    return (level, full)
  }

  private mutating func take(_ resource: Int, _ amount: Double) {
    if used[resource] == 0 { touched.append(resource) }
    used[resource] += amount
  }

  private mutating func clear() {
    for resource in touched { used[resource] = 0 }
    touched.removeAll(keepingCapacity: true)
  }
}
