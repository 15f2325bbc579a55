import CostModels
import EventKernel
import Hardware
@testable import ModelGraph
import Quantities
import TestSupport
import Testing

/// Operator prices against hand arithmetic on a device of 1 TFLOP/s, 100 GB/s and one unit, with ideal constants.
@Suite struct RooflineTests {
  private func pricer(
    _ device: RoundDevice = RoundDevice(), _ constants: [String: String] = [:], perNode: Int? = nil,
    nodePath: LinkPath? = nil, isMesh: Bool = false
  ) throws -> OperatorPricer {
    let platform = try device.platform(perNode: perNode, nodePath: nodePath, isMesh: isMesh)
    return OperatorPricer(
      platform: platform, constants: try TestCalibration.choice(for: platform.device, constants).constants)
  }

  private func gemm(_ rows: Int, _ columns: Int, _ inner: Int) -> Operator {
    let weights = Bytes(Double(2 * columns * inner))
    let activations = Bytes(Double(2 * rows * (inner + columns)))
    return Operator(
      name: "gemm", kind: .gemm(GEMMShape(rows: rows, columns: columns, inner: inner)), count: 1,
      flops: FLOPs(2 * Double(rows * columns * inner)),
      traffic: ModelGraph.Traffic(weights: weights, activations: activations), compute: .bf16)
  }

  private func stream(flops: Double, bytes: Double, _ kind: OperatorKind = .elementwise(.norm)) -> Operator {
    Operator(
      name: "stream", kind: kind, count: 1, flops: FLOPs(flops),
      traffic: ModelGraph.Traffic(activations: Bytes(bytes)), compute: .fp32)
  }

  // MARK: The roof

  @Test func `a large square GEMM takes its FLOPs over the peak`() throws {
    let work = gemm(8192, 8192, 8192)
    let price = try pricer().price(work)
    #expect(work.flops.value == product(2, 8192, 8192, 8192))
    #expect(near(price.time.value, work.flops.value / 1e12, within: 1e-6))
    #expect(price.bound == .compute)
  }

  @Test func `a GEMV takes its bytes over the bandwidth`() throws {
    var device = RoundDevice()
    device.compute = 1e15
    let work = gemm(1, 8192, 8192)
    let price = try pricer(device).price(work)
    #expect(near(price.time.value, work.traffic.total.value / 100e9, within: 1e-6))
    #expect(price.bound == .memory)
  }

  @Test func `between the two the time is the fourth root of the summed fourth powers`() throws {
    // 0.1 TFLOP/s of vector arithmetic and 100 GB/s: 1 ms of each.
    let price = try pricer().price(stream(flops: 1e8, bytes: 1e8))
    #expect(near(price.time.value, 1.189207115002721e-3, within: 1e-12))
    let uneven = try pricer().price(stream(flops: 2e8, bytes: 1e8))
    #expect(near(uneven.time.value, 2.030543184868931e-3, within: 1e-9))
    #expect(uneven.bound == .compute)
    #expect(try pricer().price(stream(flops: 1e8, bytes: 2e8)).bound == .memory)
  }

  @Test func `calibrated shares stretch the time and starts are added to it`() throws {
    let work = gemm(8192, 8192, 8192)
    let halved = try pricer(RoundDevice(), ["gemm_compute": "0.5", "gemm_start": "3 ms"]).price(work)
    #expect(near(halved.time.value, 2 * work.flops.value / 1e12 + 3e-3, within: 1e-6))
    let slow = try pricer(RoundDevice(), ["elementwise_memory": "0.25", "elementwise_start": "1 s"])
    #expect(near(slow.price(stream(flops: 0, bytes: 1e8)).time.value, 1.004))
    #expect(slow.price(stream(flops: 0, bytes: 1e8)).bound == .start)
  }

  // MARK: Quantisation

  @Test func `a row beyond a tile costs a whole tile more`() throws {
    // One unit, so that tiles run one after another; 257 rows take 384 rows of 128-row tiles.
    let (even, odd) = (gemm(256, 4096, 4096), gemm(257, 4096, 4096))
    // Loading makes small tiles, which would fit better, too slow.
    let pricer = try pricer(RoundDevice(), ["gemm_load": "60"])
    let rise = pricer.price(odd).time / pricer.price(even).time
    #expect(rise > 1.2)
    // Its FLOPs rise by 0.4 % only.
    #expect(odd.flops / even.flops < 1.005)
    // A whole tile of work less changes nothing.
    #expect(near(pricer.price(gemm(384, 4096, 4096)).time / pricer.price(gemm(300, 4096, 4096)).time, 1, within: 0.02))
  }

  @Test func `a tile beyond the units costs a whole wave more`() throws {
    var device = RoundDevice()
    device.units = 64
    let tuned = try pricer(device, ["gemm_load": "25"])
    // 128 x 256 tiles: 16 x 4 fill 64 units once, 16 x 5 begin a second wave.
    let (full, over) = (gemm(2048, 1024, 8192), gemm(2048, 1152, 8192))
    #expect(near(tuned.price(full).time.value, full.flops.value / 1e12, within: 0.02))
    #expect(tuned.price(over).time / tuned.price(full).time > 1.15)
    #expect(over.flops / full.flops < 1.1251)
    // Where units share out the last wave, small tiles cost their FLOPs again.
    let shared = try pricer(device, ["gemm_wave": "0"])
    #expect(near(shared.price(over).time / shared.price(full).time, over.flops / full.flops, within: 0.01))
  }

  @Test func `experts side by side cost as much as one GEMM of all their rows when tiles are full`() throws {
    let shape = ExpertGEMMShape.make(visits: 2048, active: 8, columns: 4096, inner: 4096)
    var work = gemm(2048, 4096, 4096)
    work.kind = .expertGEMM(shape)
    let pricer = try pricer()
    #expect(near(pricer.price(work).time.value, pricer.price(gemm(2048, 4096, 4096)).time.value, within: 1e-6))
    // One row each: 16-row tiles are nearly empty.
    work.kind = .expertGEMM(.make(visits: 8, active: 8, columns: 4096, inner: 4096))
    work.flops = FLOPs(2 * 8 * 4096 * 4096.0)
    #expect(pricer.price(work).time.value > 15 * work.flops.value / 1e12)
    work.kind = .expertGEMM(.make(visits: 0, active: 0, columns: 4096, inner: 4096))
    #expect(pricer.price(work).time == .zero)
  }

  /// One unit, so that costs add up: tiles of 128 x 256 over 256 x 512 make four waves.
  @Test func `filling, stepping, loading and storing slow each tile`() throws {
    let work = gemm(256, 512, 1024)
    let ideal = work.flops.value / 1e12
    func time(_ constants: [String: String]) throws -> Double {
      try pricer(RoundDevice(), constants).price(work).time.value
    }
    #expect(near(try time(["gemm_fill": "1 s"]), 4, within: 1e-3))
    // 1 ms for each of 1024 steps of each tile.
    #expect(near(try time(["gemm_step": "1 ms", "gemm_fill": "1 s"]), 4 * 2.024, within: 1e-3))
    // A byte loaded costs 10,000 FLOPs: (128 + 256) rows of 1024 elements of 2 bytes, four times.
    #expect(near(try time(["gemm_load": "10000", "gemm_store": "0"]), 31.45728e-3, within: 1e-3))
    // Writing twice over: 256 x 512 results of 2 bytes more.
    let bytes = work.traffic.total.value + 2 * 256 * 512
    #expect(near(try time(["gemm_write": "2", "gemm_memory": "0.001"]), bytes / 100e6, within: 1e-3))
    #expect(ideal < 1e-3)
  }

  @Test func `a narrow product splits its inner dimension and pays for adding up`() throws {
    var device = RoundDevice()
    device.units = 64
    let work = gemm(16, 32, 65_536)
    let step = ["gemm_step": "1 us"]
    // One tile of 65536 steps, or sixteen of 4096 side by side.
    #expect(near(try pricer(device, step).price(work).time.value, 4.096e-3, within: 1e-3))
    let slow = step.merging(["gemm_split_start": "1 s"]) { $1 }
    #expect(near(try pricer(device, slow).price(work).time.value, 65.536e-3, within: 1e-3))
  }

  // MARK: Attention

  @Test func `splitting long contexts and gathering query groups start decode attention later`() throws {
    let constants = [
      "decode_attention_join": "4 s", "decode_attention_join_context": "999", "decode_attention_regroup": "1 s",
    ]
    let pricer = try pricer(RoundDevice(), constants)
    func start(_ sequences: Int, _ queryHeads: Int, _ kvHeads: Int, context: Int) -> Double {
      var work = stream(flops: 2 * 256 * Double(sequences * queryHeads * context), bytes: 0)
      work.compute = .bf16
      work.kind = .decodeAttention(.make(sequences: sequences, queryHeads: queryHeads, kvHeads: kvHeads))
      return pricer.price(work).time.value
    }
    // Half of the joining is due at 1000 tokens, three quarters at 3000.
    #expect(near(start(1, 8, 2, context: 1000), 2, within: 1e-3))
    #expect(near(start(1, 8, 2, context: 3000), 3, within: 1e-3))
    // Several sequences with several KV heads and groups of queries are gathered first.
    #expect(near(start(2, 8, 2, context: 1000), 3, within: 1e-3))
    #expect(near(start(2, 8, 1, context: 1000), 2, within: 1e-3))
    #expect(near(start(2, 8, 8, context: 1000), 2, within: 1e-3))
  }

  @Test func `decode attention streams the cache and each sequence and head has a floor`() throws {
    var work = stream(flops: 1e6, bytes: 1e9)
    work.compute = .bf16
    work.kind = .decodeAttention(.make(sequences: 10, queryHeads: 32, kvHeads: 8))
    #expect(near(try pricer().price(work).time.value, 1e-2, within: 1e-6))
    // 80 pairs of a sequence and a KV head on 1 unit, 1 ms each; the root of 80^2 + 10^2.
    let floored = try pricer(RoundDevice(), ["decode_attention_tile": "1 ms"]).price(work)
    #expect(near(floored.time.value, 80.6225774829855e-3, within: 1e-6))
  }

  @Test func `decode attention pads query groups to eight rows`() throws {
    let time = { (heads: Int) in
      var work = self.stream(flops: 1e9, bytes: 0)
      work.compute = .bf16
      work.kind = .decodeAttention(.make(sequences: 1, queryHeads: heads, kvHeads: 1))
      return try self.pricer().price(work).time.value
    }
    #expect(near(try time(8), 1e-3))
    #expect(near(try time(16), 1e-3))
    #expect(near(try time(1), 8e-3))
    #expect(near(try time(4), 2e-3))
  }

  @Test func `attention made for prompts pads a decode's query rows to tiles of 128, or of 64 while units are idle`()
    throws
  {
    let time = { (units: Int, sequences: Int, rows: Int) in
      var device = RoundDevice()
      device.units = units
      var work = self.stream(flops: 1e9, bytes: 0)
      work.compute = .bf16
      var shape = DecodeAttentionShape.make(sequences: sequences, queryHeads: 8, kvHeads: 8)
      shape.tiledRows = rows
      work.kind = .decodeAttention(shape)
      return try self.pricer(device).price(work).time.value
    }
    #expect(near(try time(1, 1, 1), 128e-3))
    #expect(near(try time(1, 1, 4), 32e-3))
    // 130 rows take two tiles.
    #expect(near(try time(1, 1, 130), 256e-3 / 130))
    // 8 heads of 9 sequences fill three quarters of 96 units, of 10 sequences five sixths.
    #expect(near(try time(96, 9, 1), 64e-3))
    #expect(near(try time(96, 10, 1), 128e-3))
  }

  @Test func `an operator in several kernels starts each of them`() throws {
    var work = stream(flops: 0, bytes: 1e8)
    let pricer = try pricer(RoundDevice(), ["elementwise_start": "10 us", "gemm_start": "20 us"])
    #expect(near(pricer.price(work).time.value, 1e-3 + 10e-6))
    work.launches = 8
    #expect(near(pricer.price(work).time.value, 1e-3 + 80e-6))
    var product = gemm(8192, 8192, 8192)
    let once = pricer.price(product).time.value
    product.launches = 3
    #expect(near(pricer.price(product).time.value, once + 40e-6))
  }

  @Test func `prefill attention that cannot fill the units takes as long as its longest tile`() throws {
    var device = RoundDevice()
    device.units = 64
    let time = { (tokens: Int) in
      var work = self.stream(flops: 1e9, bytes: 0)
      work.compute = .bf16
      work.kind = .prefillAttention(.make(sequences: 1, tokens: tokens, queryHeads: 8, headWidth: 64))
      return try self.pricer(device).price(work).time.value
    }
    // 8 heads x 64 tiles of 96 rows on 64 units: eight times over, evenly; the longest tile takes a quarter of that.
    #expect(near(try time(6144), 1e-3 * (1 + 1 / 16.0).squareRoot()))
    // 8 heads x 4 tiles: half of the units, and the longest tile is twice the mean.
    #expect(near(try time(384), 1e-3 * (1 + 16.0).squareRoot()))
  }

  @Test func `prefill attention does not get cheaper when a token begins a new tile`() throws {
    var device = RoundDevice()
    device.units = 132
    let pricer = try pricer(device)
    var last = 0.0
    for tokens in 1...700 {
      var work = stream(flops: 4 * Double(tokens * (tokens + 1) / 2 * 4096), bytes: Double(tokens * 8192))
      work.compute = .bf16
      work.kind = .prefillAttention(.make(sequences: 1, tokens: tokens, queryHeads: 32, headWidth: 128))
      let time = pricer.price(work).time.value
      #expect(time >= last, "\(tokens) tokens")
      last = time
    }
  }

  // MARK: Properties

  /// Every kind of operator with random work.
  private func randomWork(_ random: inout RandomStream) -> Operator {
    func size(_ bound: Int) -> Int { 1 + random.integer(below: 1 + random.integer(below: bound)) }
    let (rows, columns, inner) = (size(5000), size(20_000), size(10_000))
    var work = gemm(rows, columns, inner)
    switch random.integer(below: 6) {
    case 0:
      let active = 1 + random.uniform() * 63
      let visits = active * (1 + random.uniform() * 100)
      work.kind = .expertGEMM(.make(visits: visits, active: active, columns: columns, inner: inner))
      work.flops = FLOPs(2 * visits * Double(columns * inner))
    case 1: work.kind = .decodeAttention(.make(sequences: rows, queryHeads: 8 * size(16), kvHeads: size(8)))
    case 2:
      work.kind = .prefillAttention(.make(sequences: 1, tokens: rows, queryHeads: size(64), headWidth: 128))
    case 3:
      work.kind = .elementwise(.activation)
      work.compute = .fp32
    case 4: work.kind = .recurrentScan
    default: break
    }
    return work
  }

  private static let devices = [
    "h100-sxm", "t4", "mi300x", "tpu-v5e", "apple-m2-ultra", "epyc-9654", "raspberry-pi-4b", "jetson-orin-agx-64gb",
  ]

  @Test(arguments: devices)
  func `no operator beats its work over the peak, nor its bytes over the bandwidth`(name: String) throws {
    let device = try Repository.device(name)
    let pricer = OperatorPricer(
      platform: Platform(
        name: name, title: name, device: device, available: nil, perNode: nil,
        peerPath: LinkPath(name: "none", bandwidth: BytesPerSecond(1e9), latency: .zero)),
      constants: try TestCalibration.choice(for: device).constants)
    var random = RandomStream(seed: 9, name: name)
    let bandwidth = try #require(device.mainMemory?.bandwidth)
    let fallback: NumberFormat = pricer.rates.supports(.bf16) ? .bf16 : .fp16
    for _ in 0..<300 {
      var work = randomWork(&random)
      if work.compute == .bf16 { work.compute = fallback }
      let price = pricer.price(work)
      let rate = work.compute == .fp32 ? pricer.rates.vector : pricer.rates.rate(work.compute)
      #expect(price.time.value >= (work.flops / rate).value * (1 - 1e-9), "\(work)")
      #expect(price.time.value >= (work.traffic.total / bandwidth).value * (1 - 1e-9), "\(work)")
      #expect(price.time.value.isFinite && price.time > .zero, "\(work)")
      #expect(price.energy <= device.power.cap * price.time * (1 + 1e-12), "\(work)")
      #expect(price.energy >= 0.2 * device.power.cap * price.time * (1 - 1e-12), "\(work)")
    }
  }

  @Test func `more FLOPs or more bytes in the same shape never take less time or energy`() throws {
    let pricer = try pricer()
    var random = RandomStream(seed: 10, name: "monotone")
    for _ in 0..<500 {
      let work = randomWork(&random)
      var busier = work
      busier.flops = work.flops * (1 + random.uniform())
      var heavier = work
      heavier.traffic = work.traffic * (1 + random.uniform())
      for more in [busier, heavier] {
        #expect(pricer.price(more).time >= pricer.price(work).time, "\(work)")
        #expect(pricer.price(more).energy.value >= pricer.price(work).energy.value * (1 - 1e-12), "\(work)")
      }
    }
  }

  // MARK: Energy

  @Test func `energy is static power over the time and a cost a FLOP and a byte`() throws {
    // 1 ms of memory, none of compute: 20 W + 30 W.
    let streaming = try pricer().price(stream(flops: 0, bytes: 1e8))
    #expect(near(streaming.energy.value, 50e-3))
    // Both at once would draw 20 + 50 + 30 W for 1 ms but take 19 % longer.
    var both = stream(flops: 1e9, bytes: 1e8, .recurrentScan)
    both.compute = .bf16
    let price = try pricer().price(both)
    #expect(near(price.energy.value, 0.2 * 100 * price.time.value + 80e-3))
    #expect(price.energy < Watts(100.0) * price.time)
    // A calibration that would exceed the board's limit is held to it.
    let hot = try pricer(RoundDevice(), ["power_memory": "5"]).price(stream(flops: 0, bytes: 1e8))
    #expect(near(hot.energy.value, 0.1))
  }
}

extension ExpertGEMMShape {
  static func make(visits: Double, active: Double, columns: Int, inner: Int) -> ExpertGEMMShape {
    ExpertGEMMShape(
      visits: visits, activeExperts: active, columns: columns, inner: inner,
      loads: SIMD8(repeating: active > 0 ? visits / active : 0), isExact: true)
  }
}

extension DecodeAttentionShape {
  static func make(sequences: Int, queryHeads: Int, kvHeads: Int) -> DecodeAttentionShape {
    DecodeAttentionShape(sequences: sequences, queryHeads: queryHeads, kvHeads: kvHeads, pairWidth: 256)
  }
}

extension PrefillAttentionShape {
  static func make(sequences: Int, tokens: Int, queryHeads: Int, headWidth: Int) -> PrefillAttentionShape {
    PrefillAttentionShape(
      sequences: sequences, tokens: tokens, queryHeads: queryHeads, kvHeads: queryHeads, headWidth: headWidth)
  }
}
