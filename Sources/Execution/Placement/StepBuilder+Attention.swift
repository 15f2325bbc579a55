import CostModels
import Hardware
import ModelGraph
import Quantities

extension StepBuilder {
  /// Attention whose cache lives elsewhere: the cache comes, or the queries go.
  mutating func addAttention(_ work: Operator, layer: Int, _ part: Int, _ stage: PlacedStage) {
    if let at = placement.attentionAt, at != stage.place, work.name == "attention_decode" {
      addRemoteAttention(work, layer: layer, part, stage, at: at)
    } else {
      addFetchingAttention(work, layer: layer, part, stage)
    }
  }

  // MARK: The cache comes

  private mutating func addFetchingAttention(_ work: Operator, layer: Int, _ part: Int, _ stage: PlacedStage) {
    guard let home = placement.kvHome else { return }
    let cache = plan.kv
    let away = 1 - cache.resident
    let isDecode = work.name == "attention_decode"
    let kept = isDecode ? cache.kept : 1
    let history = history(work, part)
    let units = unitCount(work, history: history)
    let share = 1 / Double(units)
    // What is not kept is neither fetched nor read.
    let piece = work.share(share).reading(kept)
    let stream = "cache \(stage.place)"
    let incoming = history * (away * kept * share * self.units(of: stage))
    let scoring = isDecode ? history * (away * cache.scored * share * self.units(of: stage)) : .zero
    let before = parts[part].last
    var pieces: [Int] = []
    for _ in 0..<units {
      var fetch: Int?
      if incoming + scoring > .zero {
        let wait = buffers.wait(stream, buffers: cache.prefetch + 1)
        let start = cache.prefetch == 0 ? [wait, pieces.last ?? before] : [wait]
        fetch = send(
          Load(
            name: "fetch cache", layer: layer, category: .cacheCopy, bytes: incoming + scoring, from: home,
            to: stage.place, engine: site(stage.place).copyIn),
          after: start.compactMap { $0 })
      }
      let task = operation(
        piece, on: stage.place, layer: layer, after: [pieces.last ?? before, fetch].compactMap { $0 })
      pieces.append(tasks.add(task))
      noteLaunches(piece.count, part)
      if fetch != nil { buffers.release(stream, after: pieces[pieces.count - 1]) }
    }
    parts[part].last = pieces.last
    writeBack(work, layer: layer, part, stage, to: home, share: away, after: before)
  }

  /// New keys and values go to the cache's home while the layer goes on.
  mutating func writeBack(
    _ work: Operator, layer: Int, _ part: Int, _ stage: PlacedStage, to home: Int, share: Double, after: Int?
  ) {
    let bytes = work.traffic.kvWritten * (share * plan.kv.copies * units(of: stage))
    guard bytes > .zero else { return }
    writes.append(
      send(
        Load(
          name: "store cache", layer: layer, category: .cacheCopy, bytes: bytes, from: stage.place, to: home,
          engine: site(stage.place).copyOut),
        after: [after].compactMap { $0 }))
  }

  /// Bytes of cache that stood in it before the step, of one device. Latent caches are read wider than they lie.
  func history(_ work: Operator, _ part: Int) -> Bytes {
    let shape = parts[part].shape
    guard work.name == "attention_prefill" else { return max(.zero, work.traffic.kvRead - work.traffic.kvWritten) }
    guard shape.prefillTokens > 0, shape.prefillKeys[0] > 0 else { return .zero }
    let perToken = work.traffic.kvWritten * (1 / Double(shape.prefillTokens))
    return min(
      max(.zero, work.traffic.kvRead - work.traffic.kvWritten),
      perToken * max(0, shape.prefillKeys[0] - Double(shape.prefillTokens)))
  }

  /// Pieces that a layer's cache is fetched and worked on in.
  private func unitCount(_ work: Operator, history: Bytes) -> Int {
    switch plan.kv.unit {
    case .layer: return 1
    case .head: return graph.kvHeads.dividedUp(by: plan.kv.heads)
    case .chunk:
      let perToken = work.traffic.kvWritten * (1 / Double(max(1, tokens(of: work))))
      guard perToken > .zero else { return 1 }
      return min(1024, max(1, Int((history / perToken / Double(plan.kv.chunk)).rounded(.up))))
    }
  }

  private func tokens(of work: Operator) -> Int {
    switch work.kind {
    case .decodeAttention(let shape): shape.sequences
    case .prefillAttention(let shape): shape.tokens
    default: 1
    }
  }

  // MARK: The queries go

  /// Queries and new cache entries travel to where the cache is; results come back.
  private mutating func addRemoteAttention(
    _ work: Operator, layer: Int, _ part: Int, _ stage: PlacedStage, at: Int
  ) {
    let units = self.units(of: stage)
    // Queries are as wide as results.
    let half = work.traffic.activations * (0.5 * units)
    let sent = send(
      Load(
        name: "send queries", layer: layer, category: .message, bytes: half + work.traffic.kvWritten * units,
        from: stage.place, to: at),
      after: [parts[part].last].compactMap { $0 })
    let device = placement.machine.places[at].device
    let whole = work.gathered(units)
    let share = headShare(of: whole, among: site(at).units)
    let done =
      device.kind == .csd
      ? addDriveAttention(whole, share: share, on: at, layer: layer, after: [sent], device)
      : tasks.add(remoteOperation(whole.reading(plan.kv.kept), share: share, on: at, layer: layer, after: [sent]))
    parts[part].last = send(
      Load(name: "send results", layer: layer, category: .message, bytes: half, from: at, to: stage.place),
      after: [done])
  }

  private func remoteOperation(
    _ work: Operator, share: Double, on place: Int, layer: Int, after: [Int]
  ) -> ScheduleTask {
    // `operation` splits evenly; heads may not divide evenly, and the fullest device decides.
    operation(work.share(share * Double(site(place).units)), on: place, layer: layer, after: after)
  }

  /// Share of the busiest of so many devices: whole KV heads, and of one head whole sequences.
  private func headShare(of work: Operator, among devices: Int) -> Double {
    guard case .decodeAttention(let shape) = work.kind else { return 1 / Double(devices) }
    let parts = shape.kvHeads >= devices ? shape.kvHeads : shape.kvHeads * max(1, shape.sequences)
    return Double(parts.dividedUp(by: devices)) / Double(parts)
  }

  /// Attention inside a drive: keys and values stream from flash to the engines, and softmax stands between them; a
  /// first pass over whole pages lets fewer through where the plan reads twice.
  private mutating func addDriveAttention(
    _ work: Operator, share: Double, on place: Int, layer: Int, after: [Int], _ device: Device
  ) -> Int {
    let site = site(place)
    let cost = DriveAttention(device, plan.kv).cost(work, share: share)
    let flash = site.flash ?? site.memory
    let power = max(.zero, device.power.cap - device.power.idle) * Double(site.units)
    let most = (placement.map.resources[flash].capacity ?? 0) * cost.streaming.value
    let streaming = tasks.add(
      ScheduleTask(
        work.name, layer: layer, .attention, engine: site.engine, duration: cost.streaming,
        demands: [ResourceDemand(flash, min(cost.read, most))], after: after, energy: power * cost.streaming,
        component: site.component, charged: cost.isFlashBound ? flash : site.engine,
        bound: cost.isFlashBound ? .memory : .compute))
    return tasks.add(
      ScheduleTask(
        "softmax", layer: layer, .attention, engine: site.engine, duration: cost.softmax, after: [streaming],
        energy: power * cost.softmax, component: site.component, charged: site.engine, bound: .compute))
  }
}

/// What a computational drive needs for attention over its share of a cache.
struct DriveAttention {
  private let device: Device
  private let cache: CachePlacement

  init(_ device: Device, _ cache: CachePlacement) {
    self.device = device
    self.cache = cache
  }

  struct Cost {
    /// Bytes that leave the flash.
    var read: Double
    var streaming: Seconds
    var softmax: Seconds
    var isFlashBound: Bool
  }

  /// - Parameter share: What the busiest drive has of all heads.
  func cost(_ work: Operator, share: Double) -> Cost {
    let bytes = work.traffic.kvRead.value * share
    // Dense attention reads all; sparse attention reads what scores tokens, then pages that hold chosen ones.
    let read = bytes * (cache.kept < 1 ? cache.scored + (cache.pages ?? cache.kept) : 1)
    let flashTime = read / flashRate
    let filtered = cache.kept < 1 ? read / streamRate("filter") : 0
    let products = work.flops.value * share * min(1, cache.kept + cache.scored) / computeRate("gemv")
    let scores = work.scores * share * cache.kept
    // Device files count a score as one operation: 14.6 M a second of a unit at 285 MHz are 20 cycles each.
    let softmax = scores / computeRate("softmax")
    let time = max(flashTime, products, filtered)
    return Cost(read: read, streaming: Seconds(time), softmax: Seconds(softmax), isFlashBound: flashTime >= time)
  }

  private var flashRate: Double {
    guard let storage = device.storage else { return .infinity }
    if let channels = storage.channels, let rate = storage.channelRate { return Double(channels) * rate.value }
    return storage.read.value
  }

  /// All engines for an operator; infinite when the device file names none, so that flash decides.
  private func computeRate(_ name: String) -> Double {
    for item in device.operatorRates where item.operatorName == name {
      if case .compute(let rate) = item.rate { return rate.value * Double(item.units) }
    }
    return .infinity
  }

  private func streamRate(_ name: String) -> Double {
    for item in device.operatorRates where item.operatorName == name {
      if case .stream(let rate) = item.rate { return rate.value * Double(item.units) }
    }
    return .infinity
  }
}

extension Operator {
  /// Attention over a share of its cache.
  func reading(_ kept: Double) -> Operator {
    guard kept != 1 else { return self }
    var part = self
    part.flops = flops * kept
    part.traffic.kvRead = traffic.kvRead * kept
    return part
  }

  /// The work of all devices of a tensor-parallel group.
  func gathered(_ devices: Double) -> Operator {
    guard devices > 1 else { return self }
    var whole = self
    whole.flops = flops * devices
    whole.traffic = traffic * devices
    if case .decodeAttention(var shape) = kind {
      shape.queryHeads *= Int(devices)
      shape.kvHeads *= Int(devices)
      whole.kind = .decodeAttention(shape)
    }
    return whole
  }

  /// Scores that attention computes: one for each query head and attended token.
  var scores: Double {
    guard case .decodeAttention(let shape) = kind, shape.pairWidth > 0 else { return 0 }
    return flops.value / Double(2 * shape.pairWidth)
  }
}
