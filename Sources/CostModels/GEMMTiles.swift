import Hardware

/// One way a GEMM kernel cuts its output into tiles, each computed by one parallel unit.
struct GEMMTile {
  let rows: Double
  let columns: Double
  /// Ways the inner dimension is split between units.
  let split: Double
  /// Rate of a unit on this tile, relative to its best tile, beyond what loading costs it.
  let efficiency: Double

  init(_ rows: Double, _ columns: Double, split: Double = 1, efficiency: Double = 1) {
    self.rows = rows
    self.columns = columns
    self.split = split
    self.efficiency = efficiency
  }
}

/// Tile menus by device class: the shape of the efficiency curve that devices of a class share.
enum GEMMTiles {
  /// Inner elements that units step through at a time: the rows of a systolic array hold so many, and fewer leave the
  /// other rows idle.
  static func innerStep(of device: Device) -> Double {
    max(32, device.deviceClass == .systolicNPU ? Double(device.systolicArray?.rows ?? 0) : 0)
  }

  /// Columns of results that are computed at least, needed or not: those of a systolic array.
  static func leastColumns(of device: Device) -> Double {
    device.deviceClass == .systolicNPU ? Double(device.systolicArray?.columns ?? 1) : 1
  }

  static func menu(for deviceClass: DeviceClass) -> [GEMMTile] {
    switch deviceClass {
    case .tensorCoreGPU: tensorCoreGPU
    case .systolicNPU: systolic
    case .dataflowNPU: dataflow
    case .integratedGPU: integratedGPU
    case .simdCPU, .storage: simdCPU
    }
  }

  /// Tiles of the usual tensor-core libraries, each whole and with its inner dimension split. Small tiles reuse less of
  /// what they load, and loading is priced, so they need no efficiency of their own.
  private static let tensorCoreGPU = [16.0, 64, 128].flatMap { rows in
    [32.0, 128, 256].flatMap { columns in [1.0, 4, 16].map { GEMMTile(rows, columns, split: $0) } }
  }

  /// A few large arrays; short inputs stream through at the array's width.
  private static let systolic = [
    GEMMTile(128, 256, efficiency: 1),
    GEMMTile(32, 128, efficiency: 0.5),
    GEMMTile(8, 128, split: 2, efficiency: 0.25),
  ]

  /// Many small units fed from on-chip memory.
  private static let dataflow = [
    GEMMTile(32, 64, efficiency: 1),
    GEMMTile(8, 32, efficiency: 0.6),
  ]

  private static let integratedGPU = [
    GEMMTile(64, 64, efficiency: 1),
    GEMMTile(32, 32, efficiency: 0.8),
    GEMMTile(8, 32, split: 2, efficiency: 0.5),
  ]

  /// Register blocks; cores take rows of blocks and balance well. Few rows multiply as fast as many, as measured on the
  /// reference engine's kernels: what they lack is reuse of the weights they load, and loading is priced.
  private static let simdCPU = [1.0, 2, 3, 4, 6, 8, 12].map { GEMMTile($0, 32) }
}
