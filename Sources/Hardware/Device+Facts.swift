import Quantities

extension Device {
  /// The memory that holds weights and KV cache.
  package var mainMemory: Memory? { memories.first { $0.level == .main } }

  /// The peak for one format pair, over all engines that have it working together.
  package func peak(input: NumberFormat, accumulator: NumberFormat, style: ComputeEngine.Style) -> FLOPsPerSecond? {
    let rates = engines.filter { $0.style == style }.flatMap(\.peaks)
      .filter { $0.input == input && $0.accumulator == accumulator }.map(\.rate)
    guard let fastest = rates.max() else { return nil }
    // Unlike core classes of a CPU add up; unlike engines of an accelerator (a GPU and its neighbouring cores) do not.
    return kind == .cpu ? rates.sum { $0 } : fastest
  }

  /// Input formats that have arithmetic in this device, in the order files list them.
  package var computeFormats: [NumberFormat] {
    var seen: [NumberFormat] = []
    for peak in engines.flatMap(\.peaks) where !seen.contains(peak.input) { seen.append(peak.input) }
    return seen
  }

  /// Units of the engine that multiplies matrices, for wave quantisation.
  package var parallelUnits: Int {
    (engines.first { $0.style == .matrix } ?? engines.first)?.units ?? 1
  }

  package func link(_ role: DeviceLink.Role) -> DeviceLink? { links.first { $0.role == role } }
}
