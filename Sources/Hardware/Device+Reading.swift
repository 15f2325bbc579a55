import Documents
import Quantities

extension Device: CatalogueEntry {
  package static let title = "device"

  /// Reads and checks one device file.
  package static func read(path: String, name: String) throws -> Device {
    try parse(YAMLDocument.read(path: path), name: name)
  }

  /// Reads a device from a document whose name should be `name`.
  package static func parse(_ document: Node, name: String) throws -> Device {
    try document.strictObject { file in
      let sources = try SourceTable(file)
      let device = Device(
        name: try checkedName(file, name),
        title: try file.string("title"),
        vendor: try file.string("vendor"),
        architecture: try file.optionalString("architecture"),
        kind: try file.choice("kind", DeviceKind.self),
        deviceClass: try file.choice("class", DeviceClass.self),
        released: try file.int("released", in: 1990...2100),
        aliases: try file.optionalStrings("aliases"),
        notes: try file.optionalString("notes"),
        engines: try file.optionalArray("compute").map { try engine($0, sources) },
        memories: try file.optionalArray("memories").map { try memory($0, sources) },
        links: try file.optionalArray("links").map { try link($0, sources) },
        power: try power(file.required("power"), sources),
        thermal: try file.optional("thermal").map { try thermal($0, sources) },
        emptyLaunch: try file.optional("launches").map { try emptyLaunch($0, sources) },
        price: try file.optional("price").map { try Price.parse($0, sources) },
        storage: try file.optional("storage").map { try storage($0, sources) },
        operatorRates: try file.optionalArray("operators").map { try operatorRate($0, sources) },
        numaNodes: try file.optionalInt("numa_nodes", in: 1...64) ?? 1,
        dies: try file.optionalInt("dies", in: 1...16) ?? 1,
        citations: sources.byField)
      try device.checkThermal(document)
      try device.checkWholeness(document)
      return device
    }
  }

  /// A drive needs storage; everything else needs an engine and a main memory with a bandwidth.
  private func checkWholeness(_ document: Node) throws {
    switch kind {
    case .ssd, .csd:
      guard storage != nil else { throw document.error("'storage' is missing, which kind \(kind) needs") }
    case .gpu, .npu, .cpu, .soc:
      guard !engines.isEmpty else { throw document.error("'compute' is missing, which kind \(kind) needs") }
      guard mainMemory?.bandwidth != nil else {
        throw document.error("'memories' has no main memory with a bandwidth, which kind \(kind) needs")
      }
    }
  }

  /// A case that gets rid of the whole board limit never throttles, so numbers that say so are a slip.
  private func checkThermal(_ document: Node) throws {
    guard let thermal else { return }
    guard thermal.sustained > power.idle, thermal.sustained < power.cap else {
      throw document.error(
        "thermal.sustained is \(thermal.sustained), expected more than the idle \(power.idle) and less than the cap "
          + "\(power.cap)")
    }
  }

  private static func engine(_ node: Node, _ sources: SourceTable) throws -> ComputeEngine {
    try node.strictObject { block in
      try sources.cover(block, ["units", "clock", "array", "peaks"])
      let peaks = try block.required("peaks").array().map { item in
        try item.strictObject { peak in
          Peak(
            input: try peak.choice("input", NumberFormat.self),
            accumulator: try peak.choice("accumulator", NumberFormat.self),
            rate: try peak.quantity("rate", ComputeRateDimension.self))
        }
      }
      guard !peaks.isEmpty else { throw node.error("'peaks' is empty, expected at least one format") }
      return ComputeEngine(
        name: try block.string("engine"),
        style: try block.choice("type", ComputeEngine.Style.self),
        units: try block.int("units", in: 1...1_000_000),
        unit: try block.string("unit"),
        clock: try block.optionalQuantity("clock", FrequencyDimension.self),
        coreClass: try block.optionalChoice("core_class", ComputeEngine.CoreClass.self),
        array: try block.optional("array").map(array),
        peaks: peaks)
    }
  }

  /// Rows and columns, as `128x128`.
  private static func array(_ node: Node) throws -> ComputeEngine.SystolicArray {
    let sides = try node.string().split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sides.count == 2, let rows = sides[0], let columns = sides[1], (1...65536).contains(rows),
      (1...65536).contains(columns)
    else { throw node.error("found \(node.found), expected rows and columns such as '128x128'") }
    return ComputeEngine.SystolicArray(rows: rows, columns: columns)
  }

  private static func memory(_ node: Node, _ sources: SourceTable) throws -> Memory {
    try node.strictObject { block in
      try sources.cover(block, ["capacity", "bandwidth", "latency"])
      return Memory(
        name: try block.string("name"),
        level: try block.choice("level", Memory.Level.self),
        capacity: try block.quantity("capacity", SizeDimension.self),
        bandwidth: try block.optionalQuantity("bandwidth", BandwidthDimension.self),
        latency: try block.optionalQuantity("latency", TimeDimension.self))
    }
  }

  private static func link(_ node: Node, _ sources: SourceTable) throws -> DeviceLink {
    try node.strictObject { block in
      try sources.cover(block, ["count"])
      return DeviceLink(
        role: try block.choice("role", DeviceLink.Role.self),
        link: try block.string("link"),
        count: try block.int("count", in: 1...1024),
        mesh: try block.optionalInt("mesh", in: 2...1024))
    }
  }

  private static func power(_ node: Node, _ sources: SourceTable) throws -> PowerLimits {
    try node.strictObject { block in
      try sources.cover(block, ["idle", "cap", "cap_min", "clock_min", "clock_max"])
      let limits = PowerLimits(
        idle: try block.quantity("idle", PowerDimension.self, allowingZero: true),
        cap: try block.quantity("cap", PowerDimension.self),
        capMinimum: try block.optionalQuantity("cap_min", PowerDimension.self),
        clockMinimum: try block.optionalQuantity("clock_min", FrequencyDimension.self),
        clockMaximum: try block.optionalQuantity("clock_max", FrequencyDimension.self))
      guard limits.idle <= limits.cap else {
        throw node.error("idle \(limits.idle) is above the cap \(limits.cap)")
      }
      return limits
    }
  }

  private static func thermal(_ node: Node, _ sources: SourceTable) throws -> ThermalLimit {
    try node.strictObject { block in
      try sources.cover(block, ["budget", "sustained", "clock", "memory"])
      return ThermalLimit(
        budget: try block.quantity("budget", EnergyDimension.self, allowingZero: true),
        sustained: try block.quantity("sustained", PowerDimension.self),
        clock: try block.double("clock", in: 0.05...1),
        memory: try block.optionalDouble("memory", in: 0.05...1) ?? 1)
    }
  }

  private static func emptyLaunch(_ node: Node, _ sources: SourceTable) throws -> Seconds {
    try node.strictObject { block in
      try sources.cover(block, ["empty_kernel"])
      return try block.quantity("empty_kernel", TimeDimension.self)
    }
  }

  private static func storage(_ node: Node, _ sources: SourceTable) throws -> Storage {
    try node.strictObject { block in
      try sources.cover(
        block,
        [
          "capacity", "read", "write", "random_read_iops", "read_latency", "page", "channels", "channel_rate",
        ])
      return Storage(
        capacity: try block.quantity("capacity", SizeDimension.self),
        read: try block.quantity("read", BandwidthDimension.self),
        write: try block.quantity("write", BandwidthDimension.self),
        randomReadsPerSecond: try block.optionalInt("random_read_iops", in: 1...1_000_000_000),
        readLatency: try block.optionalQuantity("read_latency", TimeDimension.self),
        page: try block.optionalQuantity("page", SizeDimension.self),
        channels: try block.optionalInt("channels", in: 1...1024),
        channelRate: try block.optionalQuantity("channel_rate", BandwidthDimension.self))
    }
  }

  private static func operatorRate(_ node: Node, _ sources: SourceTable) throws -> OperatorRate {
    try node.strictObject { block in
      try sources.cover(block, ["rate", "units"])
      let spelled = try block.string("rate")
      let rate: OperatorRate.Rate =
        spelled.contains("OP/s")
        ? .compute(try block.quantity("rate", ComputeRateDimension.self))
        : .stream(try block.quantity("rate", BandwidthDimension.self))
      return OperatorRate(
        operatorName: try block.string("operator"), rate: rate, units: try block.int("units", in: 1...10_000))
    }
  }
}

extension Price {
  static func parse(_ node: Node, _ sources: SourceTable) throws -> Price {
    try node.strictObject { block in
      try sources.cover(block, ["purchase", "hourly", "memory_gib_hourly"])
      return Price(
        purchase: try block.optionalQuantity("purchase", MoneyDimension.self),
        hourly: try block.optionalQuantity("hourly", HourlyPriceDimension.self),
        memoryHourly: try block.optionalQuantity("memory_gib_hourly", HourlyPriceDimension.self),
        date: try block.string("date"))
    }
  }
}
