import Hardware
import ModelGraph

/// Prices attention from the sums over a step's sequences: smooth in them and of constant cost.
struct AttentionPricer: Sendable {
  private let constants: Constants
  private let units: Double
  private let bandwidth: Double
  private let vectorRate: Double
  /// Peak of matrix units in 16 bits, and how fast vector units are beside it: 1 where they are as on the devices on which
  /// the share was fitted, or slower.
  private let widePeak: Double
  private let vectorShare: Double
  private let isGPU: Bool

  /// FLOPs of matrix units for each of vector units on the devices whose attention was measured (H100: 989 to 67).
  private static let fittedBalance = 14.77

  /// Rows of a query tile of prefill kernels.
  private static let tileRows = 96.0
  /// Rows of a matrix unit's instruction that a narrower group of query heads leaves empty.
  private static let groupRows = 8.0
  /// Query heads that fill a tile of the matrix unit, which then reads the cache once.
  private static let filledRows = 16.0
  /// Query rows of a tile of FlashAttention-2 (`flash_fwd_launch_template.h`: kBlockM), and of the form that splits keys,
  /// which it takes while sequences and heads leave a fifth of the units idle (`num_splits_heuristic`).
  private static let queryTileRows = 128.0
  private static let splitTileRows = 64.0
  private static let filledUnits = 0.8

  init(device: Device, rates: ComputeRates, constants: Constants) {
    vectorRate = max(1, constants[.gemmCompute] * rates.vector.value)
    widePeak = max(rates.rate(.bf16).value, rates.rate(.fp16).value)
    let balance = rates.vector.value > 0 ? widePeak / (Self.fittedBalance * rates.vector.value) : 1
    isGPU = device.deviceClass == .tensorCoreGPU
    vectorShare = isGPU ? min(1, balance) : 1
    self.constants = constants
    units = Double(device.parallelUnits)
    bandwidth = (device.mainMemory?.bandwidth ?? .zero).value
  }

  /// What an attention operator takes, and the parts that overlap in it.
  struct Time {
    var total: Double
    var compute: Double
    var memory: Double
    var start: Double
  }

  /// Streams the cache while narrow query groups waste rows of the matrix unit; each (sequence, head) pair takes a
  /// unit's time; long contexts are split and joined again. `context` follows from FLOPs or bytes elsewhere.
  func decode(_ shape: DecodeAttentionShape, _ work: Operator, peak: Double) -> Time {
    let heads = Double(shape.queryHeads)
    let group = heads / Double(max(1, shape.kvHeads))
    let again = 1 + constants[.decodeAttentionGroup] * (min(group, Self.filledRows) - 1)
    let memory = again * work.traffic.total.value / (constants[.decodeAttentionMemory] * bandwidth)
    let expanding = work.vectorWork.value / vectorRate
    let compute = smoothMaximum(multiplying(shape, work, group: group, peak: peak), expanding)
    let pairs = Double(shape.sequences * shape.kvHeads) / units * constants[.decodeAttentionTile]
    let start = constants[.decodeAttentionStart] + joining(shape, work) + regrouping(shape, group)
    return Time(
      total: start + softMaximum(smoothMaximum(memory, compute), pairs), compute: compute, memory: max(memory, pairs),
      start: start)
  }

  /// What the matrix unit takes: by a kernel made for decoding, which fills its narrowest instruction; or by one made for
  /// prompts, which fills whole tiles of query rows at the rate that prompts run at.
  private func multiplying(_ shape: DecodeAttentionShape, _ work: Operator, group: Double, peak: Double) -> Double {
    guard let valid = shape.tiledRows, isGPU else {
      return work.flops.value * max(group, Self.groupRows) / group / (constants[.decodeAttentionCompute] * peak)
    }
    let splits = Double(shape.sequences * shape.kvHeads) < Self.filledUnits * units
    let tile = splits ? Self.splitTileRows : Self.queryTileRows
    let rows = (Double(valid) / tile).rounded(.up) * tile
    return work.flops.value * rows / Double(valid) / prefillRate(peak, width: Double(shape.pairWidth) / 2)
  }

  /// Splitting the mean context: nothing for a short one, and no more than joining takes for a long one.
  private func joining(_ shape: DecodeAttentionShape, _ work: Operator) -> Double {
    let pairFLOPs = 2 * Double(shape.queryHeads * shape.pairWidth)
    guard pairFLOPs > 0, shape.sequences > 0 else { return 0 }
    let context = work.flops.value / pairFLOPs / Double(shape.sequences)
    return constants[.decodeAttentionJoin] * context / (context + constants[.decodeAttentionJoinContext] + 1)
  }

  /// Queries of a group lie together already when there is one sequence, one KV head or one query head to each.
  private func regrouping(_ shape: DecodeAttentionShape, _ group: Double) -> Double {
    shape.sequences > 1 && shape.kvHeads > 1 && group > 1 ? constants[.decodeAttentionRegroup] : 0
  }

  /// The same for heads of some width.
  private func prefillRate(_ peak: Double, width: Double) -> Double {
    let half = constants[.prefillAttentionHead]
    return prefillRate(peak) * width * (128 + half) / (128 * (width + half))
  }

  /// What prefill attention reaches of a peak. The fitted share says how long softmax and the rest take beside products in
  /// 16 bits; they take no less when products are in narrower formats, and less where vector units are faster for their
  /// matrix units, as on devices that halve their rate with wide sums.
  private func prefillRate(_ peak: Double) -> Double {
    let share = constants[.prefillAttentionCompute]
    guard share < 1, peak > 0, widePeak > 0 else { return share * peak }
    return 1 / (1 / peak + (1 / share - 1) / widePeak * vectorShare)
  }

  /// Query tiles in waves over the units, beside the longest tile: under a causal mask twice the mean. Queries, results
  /// and new cache entries stream before and after.
  ///
  /// Tiles are not rounded up: the mean tile would shrink, and the time fall, with the first token of a new one.
  func prefill(_ shape: PrefillAttentionShape, _ work: Operator, peak: Double) -> Time {
    let rate = prefillRate(peak, width: Double(shape.headWidth))
    let sequences = Double(max(1, shape.sequences))
    let tiles = sequences * max(1, Double(shape.tokens) / sequences / Self.tileRows) * Double(shape.queryHeads)
    let tile = constants[.prefillAttentionTile]
    let all = work.flops.value / rate + tiles / units * tile
    let longest = 2 * work.flops.value / rate * units / tiles + tile
    let compute = softMaximum(all, longest)
    let again = (constants[.prefillAttentionWrite] - 1) * work.traffic.kvWritten.value
    let memory = (work.traffic.total.value + again) / (constants[.prefillAttentionMemory] * bandwidth)
    let start = constants[.prefillAttentionStart]
    return Time(total: start + compute + memory, compute: compute, memory: memory, start: start)
  }
}
