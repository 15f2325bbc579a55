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

  /// The systolic array that products run on.
  package var systolicArray: ComputeEngine.SystolicArray? { engines.first { $0.array != nil }?.array }

  /// Units that share a multiplication, for wave quantisation: those of the engine listed first, or all cores of a CPU.
  package var parallelUnits: Int {
    guard let first = engines.first else { return 1 }
    guard kind == .cpu else { return first.units }
    return engines.filter { $0.style == first.style }.reduce(0) { $0 + $1.units }
  }

  /// One of the package's dies as a device of its own: an equal share of every peak, capacity, link and limit.
  package var oneDie: Device {
    guard dies > 1 else { return self }
    let share = 1 / Double(dies)
    var die = self
    die.dies = 1
    die.engines = engines.map { engine in
      var engine = engine
      engine.units = max(1, engine.units / dies)
      engine.peaks = engine.peaks.map { Peak(input: $0.input, accumulator: $0.accumulator, rate: $0.rate * share) }
      return engine
    }
    die.memories = memories.map { memory in
      var memory = memory
      memory.capacity = memory.capacity * share
      memory.bandwidth = memory.bandwidth.map { $0 * share }
      return memory
    }
    die.links = links.map { DeviceLink(role: $0.role, link: $0.link, count: max(1, $0.count / dies), mesh: $0.mesh) }
    die.power.idle = power.idle * share
    die.power.cap = power.cap * share
    die.power.capMinimum = power.capMinimum.map { $0 * share }
    die.thermal?.budget = (thermal?.budget ?? .zero) * share
    die.thermal?.sustained = (thermal?.sustained ?? .zero) * share
    die.price = price.map { price in
      Price(
        purchase: price.purchase.map { $0 * share }, hourly: price.hourly.map { $0 * share },
        memoryHourly: price.memoryHourly, date: price.date)
    }
    return die
  }

  package func link(_ role: DeviceLink.Role) -> DeviceLink? { links.first { $0.role == role } }
}
