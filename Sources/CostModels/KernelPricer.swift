import Foundation
import ModelGraph

/// Prices operators from measured times of the kernels that run them.
extension KernelTable {
  /// What an operator takes, and the parts of it.
  struct Time {
    var compute = 0.0
    var memory = 0.0
    var start = 0.0

    var total: Double { start + compute + memory }
  }

  /// - Returns: Nothing for an operator that the table does not hold.
  /// - Complexity: O(points of a product).
  func time(_ work: Operator) -> Time? {
    switch work.kind {
    case .gemm(let shape): time(shape, work)
    case .expertGEMM(let shape): time(shape, work)
    case .decodeAttention(let shape): decodeAttention?.time(shape, work)
    case .prefillAttention(let shape): prefillAttention?.time(shape, work)
    case .elementwise: rowWork.first { $0.name == work.name }?.time(work)
    case .recurrentScan, .collective: nil
    }
  }

  /// Seconds of one instance of an operator; nothing for one that the table does not hold.
  package func seconds(_ work: Operator) -> Double? { time(work)?.total }

  /// Products with weights of the width that an operator reads: formats differ in their bits, scales included.
  private func product(_ work: Operator, weights: Double) -> Product? {
    let bits = 8 * work.traffic.weights.value / max(1, weights)
    return products.first { abs($0.weights.bits - bits) < 0.1 }
  }

  private func time(_ shape: GEMMShape, _ work: Operator) -> Time? {
    let size = Double(shape.columns) * Double(shape.inner)
    return product(work, weights: size)?.time(rows: Double(shape.rows), columns: shape.columns, inner: shape.inner)
  }

  /// A product for each expert that is visited, one after another.
  private func time(_ shape: ExpertGEMMShape, _ work: Operator) -> Time? {
    guard shape.activeExperts > 0 else { return Time() }
    let size = shape.activeExperts * Double(shape.columns) * Double(shape.inner)
    guard let product = product(work, weights: size) else { return nil }
    var sum = Time()
    for index in shape.loads.indices {
      let time = product.time(rows: max(1, shape.loads[index]), columns: shape.columns, inner: shape.inner)
      sum.compute += shape.activeExperts / 8 * time.compute
      sum.memory += shape.activeExperts / 8 * time.memory
      sum.start += shape.activeExperts / 8 * time.start
    }
    return sum
  }
}

extension KernelTable.Product {
  /// What one row takes is reading weights; what more rows add is computing.
  func time(rows count: Double, columns: Int, inner: Int) -> KernelTable.Time {
    let (columns, inner) = (Double(columns), Double(inner))
    let one = weightTime(1)
    return KernelTable.Time(
      compute: max(0, weightTime(count) - one) * columns * inner + count * (inner * input + columns * output),
      memory: one * columns * inner, start: start)
  }

  /// Seconds of each weight in a product of so many rows: straight between points, in proportion beyond the last.
  package func weightTime(_ count: Double) -> Double {
    guard let last = rows.indices.last else { return 0 }
    if count <= rows[0] { return times[0] }
    if count >= rows[last] { return times[last] * count / rows[last] }
    var low = 0
    while rows[low + 1] < count { low += 1 }
    let share = (count - rows[low]) / (rows[low + 1] - rows[low])
    return times[low] + share * (times[low + 1] - times[low])
  }
}

extension KernelTable.RowWork {
  func time(_ work: Operator) -> KernelTable.Time {
    KernelTable.Time(memory: time(bytes: work.traffic.activations.value))
  }

  /// Between points as a power of the bytes; as long as the first below it, in proportion beyond the last.
  package func time(bytes count: Double) -> Double {
    guard let last = bytes.indices.last else { return 0 }
    if count <= bytes[0] { return times[0] }
    if count >= bytes[last] { return times[last] * count / bytes[last] }
    var low = 0
    while bytes[low + 1] < count { low += 1 }
    let share = log(count / bytes[low]) / log(bytes[low + 1] / bytes[low])
    return times[low] * pow(times[low + 1] / times[low], share)
  }
}

extension KernelTable.DecodeAttention {
  func time(_ shape: DecodeAttentionShape, _ work: Operator) -> KernelTable.Time {
    let bytes = work.traffic.kvRead.value
    let (reading, working) = (bytes * read, bytes * load + work.flops.value * flop)
    let both = softMaximum(reading, working)
    return KernelTable.Time(
      compute: reading > working ? 0 : both, memory: reading > working ? both : 0,
      start: start + pair * Double(shape.sequences * shape.kvHeads))
  }
}

extension KernelTable.PrefillAttention {
  /// A tile holds rows of one KV head; the last tile of each head is not full.
  func time(_ shape: PrefillAttentionShape, _ work: Operator) -> KernelTable.Time {
    let (sequences, heads) = (Double(max(1, shape.sequences)), Double(max(1, shape.kvHeads)))
    let rows = Double(shape.tokens) / sequences * Double(shape.queryHeads) / heads
    let tiles = sequences * heads * (rows / tileRows).rounded(.up)
    return KernelTable.Time(compute: work.flops.value * flop + tiles * tile, start: start)
  }
}
