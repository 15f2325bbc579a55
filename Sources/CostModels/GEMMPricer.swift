import Hardware
import ModelGraph

/// Prices products of matrices: the fastest way to cut the output into tiles for a device's units.
///
/// A unit works on one tile at a time. Multiplying, loading from the shared cache and stepping through the inner
/// dimension overlap, so the slowest decides; filling its pipeline and storing the result come on top. Tiles run in
/// waves over the units. Main memory streams beside all that.
struct GEMMPricer: Sendable {
  private let tiles: [GEMMTile]
  private let units: Double
  /// Shared by every product: a unit's seconds a byte loaded, per FLOP forgone.
  private let unitPeak: Double
  private let memoryRate: Double
  private let vectorRate: Double
  private let dense: Costs
  private let experts: Costs
  private let step: Double
  private let store: Double
  private let writing: Double
  private let wave: Double
  private let splitStart: Double
  private let innerStep: Double
  private let leastColumns: Double

  /// What plain and grouped products pay.
  private struct Costs {
    /// Share of the peak.
    var compute: Double
    var start: Double
    var fill: Double
    /// Seconds a unit takes to load a byte.
    var load: Double
  }

  init(device: Device, rates: ComputeRates, constants: Constants) {
    tiles = GEMMTiles.menu(for: device.deviceClass)
    units = Double(device.parallelUnits)
    let wide = max(rates.rate(.bf16).value, rates.rate(.fp16).value)
    unitPeak = (wide > 0 ? wide : rates.vector.value) / units
    vectorRate = max(1, constants[.gemmCompute] * rates.vector.value)
    memoryRate = constants[.gemmMemory] * (device.mainMemory?.bandwidth ?? .zero).value
    dense = Costs(
      compute: constants[.gemmCompute], start: constants[.gemmStart], fill: constants[.gemmFill],
      load: constants[.gemmLoad] / unitPeak)
    experts = Costs(
      compute: constants[.gemmCompute] * constants[.expertCompute], start: constants[.expertStart],
      fill: constants[.expertFill], load: constants[.expertLoad] / unitPeak)
    step = constants[.gemmStep]
    store = constants[.gemmStore]
    writing = constants[.gemmWrite] - 1
    wave = constants[.gemmWave]
    splitStart = constants[.gemmSplitStart]
    innerStep = GEMMTiles.innerStep(of: device)
    leastColumns = GEMMTiles.leastColumns(of: device)
  }

  /// What a product takes, and the parts that overlap in it.
  struct Time {
    var total = Double.infinity
    var compute = 0.0
    var memory = 0.0
    var start = 0.0
  }

  /// One product. `peak` is the device's rate in the work's format.
  /// - Complexity: O(tiles in the class's menu).
  func time(_ shape: GEMMShape, _ work: Operator, peak: Double) -> Time {
    let (rows, columns, inner) = (Double(shape.rows), Double(shape.columns), Double(shape.inner))
    let product = Product(
      rows: rows, columns: columns, inner: inner, inputBytes: work.compute.bits / 8,
      weightBytes: min(work.compute.bits / 8, work.traffic.weights.value / (columns * inner)), outputs: rows * columns)
    return fastest(product, work, dense, peak: peak) { (rows / $0).rounded(.up) }
  }

  /// A product for each expert that is visited, side by side.
  func time(_ shape: ExpertGEMMShape, _ work: Operator, peak: Double) -> Time {
    let (columns, inner) = (Double(shape.columns), Double(shape.inner))
    let product = Product(
      rows: shape.visits / shape.activeExperts, columns: columns, inner: inner, inputBytes: work.compute.bits / 8,
      weightBytes: min(work.compute.bits / 8, work.traffic.weights.value / (shape.activeExperts * columns * inner)),
      outputs: shape.visits * columns)
    return fastest(product, work, experts, peak: peak, rowTiles: shape.tiles)
  }

  private struct Product {
    /// Of one product.
    var rows: Double
    var columns: Double
    var inner: Double
    /// Bytes of an element as units load it.
    var inputBytes: Double
    var weightBytes: Double
    /// Elements of all results.
    var outputs: Double
  }

  /// What a product does besides, or less of, plain multiplication.
  private struct Extras {
    /// Arithmetic over that of a dense product of its shape.
    var arithmetic: Double
    /// Seconds of vector units.
    var vector: Double
  }

  private func fastest(
    _ product: Product, _ work: Operator, _ costs: Costs, peak: Double, rowTiles: (Double) -> Double
  ) -> Time {
    let traffic = work.traffic
    // Sparse and binary products do another amount of arithmetic than their shape says.
    let dense = 2 * product.outputs * product.inner
    let work = Extras(arithmetic: dense > 0 ? work.flops.value / dense : 1, vector: work.vectorWork.value / vectorRate)
    let unitRate = costs.compute * peak / units
    let inputs = product.rows > 0 ? product.outputs / product.columns * product.inner * product.inputBytes : 0
    let written = max(0, traffic.activations.value - inputs)
    let memory = (traffic.total.value + writing * written) / memoryRate
    var best = Time()
    for tile in tiles {
      let waves = waves(of: rowTiles(tile.rows) * (product.columns / tile.columns).rounded(.up) * tile.split)
      let compute = waves * unitTime(tile, product, costs, unitRate / work.arithmetic)
      let start = costs.start + (tile.split > 1 ? splitStart : 0)
      let total = start + smoothMaximum(compute, memory, work.vector)
      if total < best.total { best = Time(total: total, compute: compute, memory: memory, start: start) }
    }
    return best
  }

  /// Waves a number of tiles takes; the last one may be shared out between units that are done.
  private func waves(of blocks: Double) -> Double {
    let full = blocks / units
    return wave * full.rounded(.up) + (1 - wave) * max(1, full)
  }

  /// What one tile takes on one unit.
  private func unitTime(_ tile: GEMMTile, _ product: Product, _ costs: Costs, _ unitRate: Double) -> Double {
    let depth = (product.inner / (tile.split * innerStep)).rounded(.up) * innerStep
    let rows = min(tile.rows, product.rows)
    let columns = min(tile.columns, product.columns)
    // A product narrower than a tile still fills the array's columns.
    let width = product.columns < tile.columns ? max(tile.columns, leastColumns) : tile.columns
    let multiplying = 2 * tile.rows * width * depth / (tile.efficiency * unitRate)
    let loading = (rows * product.inputBytes + columns * product.weightBytes) * depth * costs.load
    // Parts of a split dimension are written and read once more in fp32.
    let storing = rows * columns * (tile.split > 1 ? 8 : 2) * costs.load * store
    return smoothMaximum(multiplying, loading, depth * step) + costs.fill + storing
  }
}
