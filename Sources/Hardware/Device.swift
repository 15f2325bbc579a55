import Documents
import Quantities

/// A processor or drive as its maker describes it: peaks, capacities, limits and prices, each with a source.
///
/// How much of a peak is reached is not here; that is calibration.
package struct Device: Sendable {
  package var name: String
  package var title: String
  package var vendor: String
  package var architecture: String?
  package var kind: DeviceKind
  package var deviceClass: DeviceClass
  package var released: Int
  package var aliases: [String]
  package var notes: String?
  package var engines: [ComputeEngine]
  package var memories: [Memory]
  package var links: [DeviceLink]
  package var power: PowerLimits
  /// What heat does to long work; nothing where cooling holds the board limit.
  package var thermal: ThermalLimit?
  /// What one core of a host processor takes to launch an empty kernel; nothing where nobody measured it.
  package var emptyLaunch: Seconds?
  package var price: Price?
  package var storage: Storage?
  package var operatorRates: [OperatorRate]
  package var numaNodes: Int
  /// Separate processors in the package that software sees as so many devices; a rank of a plan is one of them.
  package var dies: Int
  /// Citation of each number by its path in the file.
  package var citations: [String: String]
}

package enum DeviceKind: String, CaseIterable, Sendable {
  case gpu, npu, cpu, csd, ssd, soc
}

/// Devices that share the shape of their efficiency curves.
package enum DeviceClass: String, CaseIterable, Sendable {
  case tensorCoreGPU = "tensor-core-gpu"
  case integratedGPU = "integrated-gpu"
  case systolicNPU = "systolic-npu"
  case dataflowNPU = "dataflow-npu"
  case simdCPU = "simd-cpu"
  case storage
}

/// One kind of arithmetic unit of a device, all of them together.
package struct ComputeEngine: Sendable {
  package enum Style: String, CaseIterable, Sendable { case matrix, vector }
  package enum CoreClass: String, CaseIterable, Sendable { case performance, efficiency }

  package var name: String
  package var style: Style
  /// How many units work side by side, and what one is called (SM, CU, core).
  package var units: Int
  package var unit: String
  package var clock: Hertz?
  package var coreClass: CoreClass?
  /// Rows and columns of a systolic array: inner elements that it holds, and results that it works on.
  package struct SystolicArray: Sendable, Equatable {
    package var rows: Int
    package var columns: Int
  }

  package var array: SystolicArray?
  package var peaks: [Peak]
}

/// A dense peak for one pair of input and accumulator formats.
package struct Peak: Sendable, Equatable {
  package var input: NumberFormat
  package var accumulator: NumberFormat
  package var rate: FLOPsPerSecond
}

package struct Memory: Sendable {
  package enum Level: String, CaseIterable, Sendable { case main, tier, cache, scratchpad }

  package var name: String
  package var level: Level
  package var capacity: Bytes
  package var bandwidth: BytesPerSecond?
  package var latency: Seconds?
}

/// Units of a link that a device carries.
package struct DeviceLink: Sendable {
  package enum Role: String, CaseIterable, Sendable { case host, peer, network }

  package var role: Role
  package var link: String
  package var count: Int
  /// Devices of the full mesh that these units are dealt out over, itself included; nothing behind a switch.
  package var mesh: Int?
}

package struct PowerLimits: Sendable {
  package var idle: Watts
  package var cap: Watts
  package var capMinimum: Watts?
  package var clockMinimum: Hertz?
  package var clockMaximum: Hertz?
}

/// A case that takes up some heat and gets rid of less than its device can make.
package struct ThermalLimit: Sendable, Equatable {
  /// Heat that the case takes up above what it gets rid of, before clocks fall.
  package var budget: Joules
  /// Power that the case gets rid of for as long as one likes.
  package var sustained: Watts
  /// Clock of the arithmetic units, and rate of the memory, once the budget is spent, as shares of their own.
  package var clock: Double
  package var memory: Double

  package init(budget: Joules, sustained: Watts, clock: Double, memory: Double = 1) {
    self.budget = budget
    self.sustained = sustained
    self.clock = clock
    self.memory = memory
  }
}

package struct Price: Sendable {
  package var purchase: Dollars?
  package var hourly: DollarsPerHour?
  /// Rent of each GiB of main memory that is used, beside `hourly`; of processors that lend theirs.
  package var memoryHourly: DollarsPerHour?
  package var date: String
}

/// What a drive does.
package struct Storage: Sendable {
  package var capacity: Bytes
  package var read: BytesPerSecond
  package var write: BytesPerSecond
  package var randomReadsPerSecond: Int?
  package var readLatency: Seconds?
  package var page: Bytes?
  package var channels: Int?
  package var channelRate: BytesPerSecond?
}

/// What a computational drive's engines do to one operator.
package struct OperatorRate: Sendable {
  package enum Rate: Sendable {
    case compute(FLOPsPerSecond)
    case stream(BytesPerSecond)
  }

  package var operatorName: String
  /// Rate of one engine.
  package var rate: Rate
  package var units: Int
}
