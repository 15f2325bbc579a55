import Hardware
import ModelGraph
import Quantities

/// Prices operators on one platform with calibrated rooflines.
///
/// Times are `start + smooth maximum of compute and memory`, each against a calibrated share of its peak; GEMMs also
/// round to tiles and waves. Shapes of the curves follow published kernel behaviour; their constants are calibration.
package struct OperatorPricer: Sendable {
  package let platform: Platform
  package let constants: Constants
  package let rates: ComputeRates

  private let tiles: [GEMMTile]
  private let units: Double
  /// Units that must be at work to draw the full memory bandwidth.
  private let saturating: Double
  /// Columns of the narrowest tile, and the most ways a tile splits the inner dimension.
  private let finestColumns: Double
  private let mostSplits: Double
  private let bandwidth: BytesPerSecond
  private let cap: Watts
  private let gemmStart: Double
  private let gemmCompute: Double
  private let gemmMemory: Double
  private let prologue: Double

  package init(platform: Platform, constants: Constants) {
    self.platform = platform
    self.constants = constants
    let device = platform.device
    rates = ComputeRates(device)
    tiles = GEMMTiles.menu(for: device.deviceClass)
    units = Double(device.parallelUnits)
    saturating = units * GEMMTiles.unitsToSaturateMemory(device.deviceClass)
    finestColumns = tiles.map(\.columns).min() ?? 1
    mostSplits = tiles.map(\.split).max() ?? 1
    bandwidth = device.mainMemory?.bandwidth ?? .zero
    cap = device.power.cap
    gemmStart = constants[.gemmStart]
    gemmCompute = constants[.gemmCompute]
    gemmMemory = constants[.gemmMemory]
    prologue = constants[.gemmPrologue]
  }

  /// Prices one instance of an operator.
  /// - Complexity: O(tiles in the class's menu) for GEMMs, O(1) otherwise.
  package func price(_ work: Operator) -> OperatorPrice {
    switch work.kind {
    case .gemm(let shape):
      gemm(
        rows: Double(shape.rows), columns: Double(shape.columns), inner: Double(shape.inner), groups: 1, work,
        relative: 1)
    case .expertGEMM(let shape): expertGEMM(shape, work)
    case .decodeAttention(let shape): decodeAttention(shape, work)
    case .prefillAttention(let shape): prefillAttention(shape, work)
    case .elementwise: elementwise(work)
    case .recurrentScan: scan(work)
    case .collective(let shape): collective(shape)
    }
  }

  // MARK: Dense

  /// The fastest tile of the class's menu for `groups` equal products.
  private func gemm(
    rows: Double, columns: Double, inner: Double, groups: Double, _ work: Operator, relative: Double
  ) -> OperatorPrice {
    let unitRate = gemmCompute * relative * rates.rate(work.compute).value / units
    let memoryTime = gemmMemoryTime(work.traffic, columns: columns, groups: groups)
    var best = (time: Double.infinity, compute: 0.0, memory: 0.0, start: 0.0)
    for tile in tiles {
      let count = (rows / tile.rows).rounded(.up) * (columns / tile.columns).rounded(.up) * tile.split
      let blocks = (count * groups).rounded(.up)
      let waves = (blocks / units).rounded(.up)
      let tileWork = 2 * tile.rows * tile.columns * (inner / tile.split + prologue)
      let compute = waves * tileWork / (tile.efficiency * unitRate)
      var memory = memoryTime
      var start = gemmStart
      if tile.split > 1 {
        // Partial sums are written and read once more in fp32, by a second short kernel.
        memory += 8 * rows * columns * groups * tile.split / (gemmMemory * bandwidth.value)
        start += 0.4 * gemmStart
      }
      let time = start + smoothMaximum(compute, memory)
      if time < best.time { best = (time, compute, memory, start) }
    }
    return OperatorPrice(
      time: Seconds(best.time), energy: energy(work, Seconds(best.time)),
      bound: bound(compute: best.compute, memory: best.memory, start: best.start))
  }

  /// Activations stream at the full rate; weights of few columns keep too few units busy to.
  ///
  /// Parallelism over rows is left out on purpose: with it, time would fall when a token is added.
  private func gemmMemoryTime(_ traffic: Traffic, columns: Double, groups: Double) -> Double {
    let streams = (columns / finestColumns).rounded(.up) * mostSplits * groups
    let weights = traffic.weights.value * max(1, saturating / streams)
    return (weights + traffic.total.value - traffic.weights.value) / (gemmMemory * bandwidth.value)
  }

  /// Experts are GEMMs side by side, each with its own short rows.
  private func expertGEMM(_ shape: ExpertGEMMShape, _ work: Operator) -> OperatorPrice {
    guard shape.activeExperts > 0 else { return OperatorPrice(time: .zero, energy: .zero, bound: .start) }
    return gemm(
      rows: shape.visits / shape.activeExperts, columns: Double(shape.columns), inner: Double(shape.inner),
      groups: shape.activeExperts, work, relative: constants[.expertCompute])
  }

  // MARK: Attention

  /// Streams the cache; narrow query groups waste rows of the matrix unit; each (sequence, head) pair has a floor.
  private func decodeAttention(_ shape: DecodeAttentionShape, _ work: Operator) -> OperatorPrice {
    let group = Double(shape.queryHeads) / Double(max(1, shape.kvHeads))
    // From 16 on, query heads fill a tile of the matrix unit, which reads the cache once.
    let again = 1 + constants[.decodeAttentionGroup] * (min(group, 16) - 1)
    let memory = again * work.traffic.total.value / (constants[.decodeAttentionMemory] * bandwidth.value)
    let rate = constants[.decodeAttentionCompute] * rates.rate(work.compute).value
    let compute = work.flops.value * max(group, 8) / group / rate
    let floor = Double(shape.sequences * shape.kvHeads) / units * constants[.decodeAttentionTile]
    let start = constants[.decodeAttentionStart]
    let time = Seconds(start + smoothMaximum(smoothMaximum(memory, compute), floor))
    return OperatorPrice(
      time: time, energy: energy(work, time), bound: bound(compute: compute, memory: max(memory, floor), start: start))
  }

  /// Query tiles of 128 rows in waves over the units; under a causal mask the longest tile is twice the mean.
  ///
  /// Tiles are not rounded up: the mean tile would shrink, and the time fall, with the first token of a new one.
  private func prefillAttention(_ shape: PrefillAttentionShape, _ work: Operator) -> OperatorPrice {
    let rate = constants[.prefillAttentionCompute] * rates.rate(work.compute).value
    let sequences = Double(max(1, shape.sequences))
    let blocks = sequences * max(1, Double(shape.tokens) / sequences / 128) * Double(shape.queryHeads)
    let ideal = work.flops.value / rate
    let longest = 2 * ideal * units / blocks
    let compute = max(ideal, longest)
    let memory = work.traffic.total.value / (constants[.prefillAttentionMemory] * bandwidth.value)
    let start = constants[.prefillAttentionStart]
    let time = Seconds(start + smoothMaximum(compute, memory))
    return OperatorPrice(
      time: time, energy: energy(work, time), bound: bound(compute: compute, memory: memory, start: start))
  }

  // MARK: Streaming work

  private func elementwise(_ work: Operator) -> OperatorPrice {
    streaming(work, rate: work.compute == .fp32 ? rates.vector.value : gemmCompute * rates.rate(work.compute).value)
  }

  private func scan(_ work: Operator) -> OperatorPrice {
    streaming(work, rate: constants[.scanCompute] * rates.rate(work.compute).value)
  }

  private func streaming(_ work: Operator, rate: Double) -> OperatorPrice {
    let memory = work.traffic.total.value / (constants[.elementwiseMemory] * bandwidth.value)
    let compute = work.flops.value / rate
    let start = constants[.elementwiseStart]
    let time = Seconds(start + smoothMaximum(compute, memory))
    return OperatorPrice(
      time: time, energy: energy(work, time), bound: bound(compute: compute, memory: memory, start: start))
  }

  // MARK: Collectives

  /// Alpha-beta times; an all-reduce takes the faster of one and two shots. Between nodes there is a second level,
  /// where all ranks of a node share its links.
  private func collective(_ shape: CollectiveShape) -> OperatorPrice {
    let perNode = platform.perNode ?? shape.ranks * shape.stride
    let inside = max(1, min(shape.ranks, perNode / shape.stride))
    let nodes = shape.ranks.dividedUp(by: inside)
    let near = platform.peerPath.among(min(perNode, inside * shape.stride), of: perNode)
    let far = nodes > 1 ? platform.nodePath : nil
    let span = (ranks: Double(shape.ranks), inside: Double(inside), nodes: Double(nodes))
    let message = shape.message.value
    var cost = Transfer()
    switch shape.kind {
    case .allReduce:
      if inside > 1 { cost += allReduce(message, ranks: span.inside, near) }
      if let far { cost += allReduce(message, ranks: span.nodes, far) }
    case .allGather:
      // What comes from other nodes is spread inside as well.
      if inside > 1 { cost += transfer((span.ranks - 1) * message, near) }
      if let far { cost += transfer((span.nodes - 1) * span.inside * message, far) }
    case .allToAll:
      if inside > 1 { cost += transfer((span.inside - 1) / span.ranks * message, near) }
      if let far {
        let leaving = (span.ranks - span.inside) / span.ranks * message
        cost += transfer(leaving * span.inside * Double(shape.stride), far)
      }
    case .pointToPoint:
      cost = hop(message, crossing: (span.nodes - 1) / max(1, span.ranks - 1), near, far)
    }
    let time = Seconds(cost.start + cost.time)
    let power = constants[.powerStatic] * cap.value
    return OperatorPrice(
      time: time, energy: Joules(power * time.value), bound: cost.time > cost.start ? .link : .start)
  }

  /// Fixed and size-dependent time of a message.
  private struct Transfer {
    var start = 0.0
    var time = 0.0

    static func += (a: inout Transfer, b: Transfer) {
      a.start += b.start
      a.time += b.time
    }
  }

  private func transfer(_ bytes: Double, _ path: LinkPath) -> Transfer {
    Transfer(
      start: constants[.collectiveOneShotStart] + path.latency.value,
      time: bytes / (constants[.collectiveLink] * path.bandwidth.value))
  }

  private func allReduce(_ message: Double, ranks n: Double, _ path: LinkPath) -> Transfer {
    var oneShot = transfer((n - 1) * message, path)
    oneShot.start += constants[.collectiveHop] * (n - 2)
    var twoShot = transfer(2 * (n - 1) / n * message, path)
    twoShot.start = constants[.collectiveTwoShotStart] + constants[.collectiveHop] * (n - 2) + 2 * path.latency.value
    return oneShot.start + oneShot.time <= twoShot.start + twoShot.time ? oneShot : twoShot
  }

  /// The mean hop of a pipeline, of which a share crosses nodes.
  private func hop(_ message: Double, crossing share: Double, _ near: LinkPath, _ far: LinkPath?) -> Transfer {
    let inside = transfer(message, near)
    guard let far else { return inside }
    let across = transfer(message, far)
    return Transfer(
      start: inside.start * (1 - share) + across.start * share, time: inside.time * (1 - share) + across.time * share)
  }

  // MARK: Energy

  /// Static power over the time, and a cost for each FLOP and byte, never above the board limit.
  ///
  /// The limit does not stretch the time here: calibrated efficiencies were measured on boards that hold it.
  private func energy(_ work: Operator, _ time: Seconds) -> Joules {
    let standing = constants[.powerStatic] * cap.value * time.value
    let rate = rates.rate(work.compute).value
    let compute = constants[.powerCompute] * cap.value * work.flops.value / (rate > 0 ? rate : rates.vector.value)
    let memory = constants[.powerMemory] * cap.value * work.traffic.total.value / bandwidth.value
    return min(Joules(standing + compute + memory), cap * time)
  }

  private func bound(compute: Double, memory: Double, start: Double) -> Bound {
    if start > max(compute, memory) { return .start }
    return compute > memory ? .compute : .memory
  }
}
