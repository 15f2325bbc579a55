import CostModels
import Quantities

/// Something that tasks of a schedule use: an engine that works on one at a time, or a rate that they share.
package struct ScheduleResource: Sendable, Equatable {
  package enum Kind: String, CaseIterable, Sendable {
    /// Arithmetic units of a device.
    case compute
    /// An engine that copies, one direction.
    case copy
    /// Main memory of a device.
    case memory
    /// One direction of a link, or both of a half-duplex one.
    case link
    /// A drive's flash or controller.
    case storage
    /// The runtime on its host.
    case host
    /// What a power limit leaves above the standing power.
    case power
  }

  package var name: String
  package var kind: Kind
  /// Units a second (bytes, or joules for power) that tasks share fairly; nothing for an engine, which takes one task
  /// at a time in the order of their numbers.
  package var capacity: Double?

  package static func engine(_ name: String, _ kind: Kind) -> ScheduleResource {
    ScheduleResource(name: name, kind: kind, capacity: nil)
  }

  package static func shared(_ name: String, _ kind: Kind, _ rate: BytesPerSecond) -> ScheduleResource {
    ScheduleResource(name: name, kind: kind, capacity: rate.value)
  }
}

/// A part of the platform whose energy is told by itself.
package struct ScheduleComponent: Sendable, Equatable {
  package var name: String
  /// Power from the first moment of a step to its last, whatever is done.
  package var standing: Watts
  /// Limit that tasks are slowed to stay under; nothing where prices already hold it.
  package var cap: Watts?

  package init(name: String, standing: Watts, cap: Watts? = nil) {
    self.name = name
    self.standing = standing
    self.cap = cap
  }
}

/// What a task needs of a shared resource over its whole length: bytes.
package struct ResourceDemand: Sendable, Equatable {
  package var resource: Int
  package var amount: Double

  package init(_ resource: Int, _ amount: Double) {
    self.resource = resource
    self.amount = amount
  }
}

/// Energy that a task spends in a component other than its own: a transfer in the links it crosses.
package struct EnergyShare: Sendable, Equatable {
  package var component: Int
  package var energy: Joules

  package init(_ component: Int, _ energy: Joules) {
    self.component = component
    self.energy = energy
  }
}

/// A piece of an operator, a transfer, or work of the host.
package struct ScheduleTask: Sendable {
  /// What a drawing colours it by.
  package enum Category: String, CaseIterable, Sendable {
    case product, attention, experts, other
    case weightCopy = "weight copy"
    case cacheCopy = "cache copy"
    case expertCopy = "expert copy"
    case message, host
  }

  package var name: String
  /// Layer it belongs to; -1 for none.
  package var layer: Int
  package var category: Category
  /// Engine that it holds from start to end; nothing when it only shares rates.
  package var engine: Int?
  /// Time before its work begins, in which it holds its engine and nothing else.
  package var latency: Seconds
  /// Time of the work where nobody else is in the way.
  package var duration: Seconds
  package var demands: [ResourceDemand]
  /// Tasks that must have ended.
  package var after: [Int]
  /// Energy above the standing power, and the component that spends it.
  package var energy: Joules
  package var component: Int
  /// What it spends elsewhere; never in a component with a cap.
  package var besides: [EnergyShare]
  /// Resource that its time is put down to.
  package var charged: Int
  package var bound: Bound

  package init(
    _ name: String, layer: Int = -1, _ category: Category, engine: Int? = nil, latency: Seconds = .zero,
    duration: Seconds, demands: [ResourceDemand] = [], after: [Int] = [], energy: Joules = .zero, component: Int = 0,
    besides: [EnergyShare] = [], charged: Int, bound: Bound = .compute
  ) {
    self.name = name
    self.layer = layer
    self.category = category
    self.engine = engine
    self.latency = latency
    self.duration = duration
    self.demands = demands
    self.after = after
    self.energy = energy
    self.component = component
    self.besides = besides
    self.charged = charged
    self.bound = bound
  }
}

extension ScheduleTask {
  /// All that it spends above standing powers.
  var spent: Joules { besides.reduce(energy) { $0 + $1.energy } }
}

/// What is to be scheduled.
package struct TaskGraph: Sendable {
  package var resources: [ScheduleResource]
  package var components: [ScheduleComponent]
  package private(set) var tasks: [ScheduleTask] = []

  package init(resources: [ScheduleResource], components: [ScheduleComponent]) {
    self.resources = resources
    self.components = components
  }

  /// Adds a task; its number orders those that wait for one engine.
  @discardableResult
  package mutating func add(_ task: ScheduleTask) -> Int {
    tasks.append(task)
    return tasks.count - 1
  }
}

/// Why tasks cannot be scheduled.
package enum ScheduleError: Error, CustomStringConvertible, Sendable, Equatable {
  case cycle(tasks: [String])
  case unknown(task: String, what: String)
  case unworkable(task: String, resource: String)

  package var description: String {
    switch self {
    case .cycle(let tasks): "tasks wait for each other in a circle: " + tasks.joined(separator: " -> ")
    case .unknown(let task, let what): "task '\(task)' names \(what) that does not exist"
    case .unworkable(let task, let resource): "task '\(task)' needs \(resource), which has no rate"
    }
  }
}
