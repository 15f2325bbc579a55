import CostModels
import EventKernel
import Execution
import ModelGraph
import Quantities
import TestSupport
import Testing

/// Published platforms, worked out by hand beside the schedule.
@Suite struct PlatformArithmeticTests {
  private func time(_ deployment: Deployment, batch: Int = 1, context: Int) throws -> Double {
    try Placed.decode(deployment, batch: batch, context: context).time.value
  }

  // MARK: HeadInfer

  /// 131,072 B of cache a token over 0.635 of 31.5 GB/s, and 25 ms of weights that hide behind it.
  @Test(arguments: [(100_000, 0.66), (1_000_000, 6.41), (4_000_000, 27.2)])
  func headInferDecodesAtTheRateOfItsLink(context: Int, published: Double) throws {
    let placed = try Placed.deployment("llama-3-8b", "rtx-4090-epyc", "kv-host-heads")
    let found = try time(placed, context: context)
    let copies = Double(context) * 131_072 / (0.635 * 16 * 1.969e9)
    #expect(found >= copies)
    #expect(near(found, copies, within: 0.02))
    #expect(near(found, published, within: 0.07))
  }

  /// 15.08 GiB of weights, a pair of heads of 0.5 GB each and activations.
  @Test func headInferNeedsSeventeenGigabytesAtAMillionTokens() throws {
    let placed = try Placed.deployment("llama-3-8b", "rtx-4090-epyc", "kv-host-heads")
    let step = StepShape.decode(sequences: 1, context: 1_000_000, spans: placed.graph.spans)
    let found = try #require(placed.placement).mainMemory(during: step).value
    #expect(near(found, 17e9, within: 0.03))
  }

  // MARK: InstInfer

  private func drives(_ count: Int) throws -> Deployment {
    try Placed.deployment("opt-13b", "a6000-csd-20", "attention-csd") { $0.units = ["csd": count] }
  }

  /// 64 sequences of 1536 tokens and 819,200 B each read 80.5 GB a step: 7.19 s at 11.2 GB/s. Softmax of 64 x 1536 x 40
  /// heads x 40 layers at 8 x 14.6 M a second takes 1.35 s between keys and values.
  @Test func oneComputationalDriveReadsItsFlashOnce() throws {
    let placed = try drives(1)
    let schedule = try Placed.decode(placed, batch: 64, context: 1536)
    let flash = try #require(schedule.usage.first { $0.name == "csd flash" })
    let read = try #require(flash.moved).value
    #expect(near(read, 64 * 1536 * 819_200, within: 0.001))
    let softmax = product(64, 1536, 40, 40) / (8 * 14.6e6)
    let engines = try #require(schedule.usage.first { $0.name == "csd" })
    #expect(near(engines.busy.value, 80.53e9 / 11.2e9 + softmax, within: 0.005))
    // Published: 80.7 % of the step.
    #expect(near(flash.exposed / schedule.time, 0.807, within: 0.06))
  }

  @Test func aDriveBeatsTheBaselinesPathAsPublished() throws {
    let baseline = try Placed.deployment("opt-13b", "a6000-csd-20", "kv-ssd-flexgen") { $0.units = ["storage": 1] }
    let slow = try time(baseline, batch: 64, context: 1536)
    // 80.5 GB at 19 % of 7 GB/s.
    #expect(near(slow, 80.53e9 / (0.19 * 7e9), within: 0.01))
    let fast = try time(drives(1), batch: 64, context: 1536)
    #expect(near(slow / fast, 6.85, within: 0.05))
  }

  /// Heads are dealt out whole: forty over three drives are fourteen on the fullest.
  @Test func headsAreSplitOverDrives() throws {
    let (one, two, three) = (try drives(1), try drives(2), try drives(3))
    func flash(_ deployment: Deployment) throws -> Double {
      let usage = try Placed.decode(deployment, batch: 64, context: 1536).usage
      return try #require(usage.first { $0.name == "csd flash" }).busy.value
    }
    let (first, second, third) = (try flash(one), try flash(two), try flash(three))
    #expect(near(first / second, 2, within: 1e-6))
    #expect(near(first / third, 40.0 / 14, within: 1e-4))
  }

  // MARK: Experts

  /// One expert of three matrices of 4096 x 14336 in 16 bits is 352 MB; two a layer of which some are not on the GPU.
  @Test func fiddlerReadsMissingExpertsFromHostMemory() throws {
    let placed = try Placed.deployment("mixtral-8x7b", "rtx6000-skylake", "experts-cpu") { $0.units = ["host": 1] }
    let schedule = try Placed.decode(placed, context: 256)
    let cpu = try #require(schedule.usage.first { $0.name == "cpu memory" })
    let placement = try #require(placed.placement)
    let resident = try #require(placement.memory.rows.first { $0.place == "gpu" }).experts.value
    let all = placed.graph.weightParts.experts.value
    let missing = product(32, 2, 3, 4096, 14336) * 2 * (1 - resident / all)
    let read = try #require(cpu.moved).value
    #expect(near(read, missing, within: 0.02))
    // Published: about 4 tokens a second.
    #expect(near(1 / schedule.time.value, 4.2, within: 0.3))
  }

  /// Twelve mixtures fetch one expert of 33.5 MB each, or all 128.
  @Test func pregatedFetchesOneExpertALayer() throws {
    let formats = FormatRequest(weights: .fp32, activations: .fp32, kv: .fp32)
    func moved(_ plan: String) throws -> Double {
      let placed = try Placed.deployment(
        "switch-large-128", "a100-rome", plan, runtime: "fastertransformer", formats: formats)
      let usage = try Placed.decode(placed, context: 64).usage
      return try #require(usage.first { $0.name == "gpu-cpu pcie-4 <" }?.moved).value
    }
    let one = product(12, 2, 1024, 4096, 4)
    let (named, all) = (try moved("experts-pregated"), try moved("experts-all"))
    #expect(near(named, one, within: 0.001))
    #expect(near(all, 128 * one, within: 0.001))
  }

  @Test func namingExpertsEarlyHidesTheirWay() throws {
    let formats = FormatRequest(weights: .fp32, activations: .fp32, kv: .fp32)
    func time(_ plan: String) throws -> Double {
      let placed = try Placed.deployment(
        "switch-large-128", "a100-rome", plan, runtime: "fastertransformer", formats: formats
      ) { $0.experts.resident = .share(0) }
      return try self.time(placed, context: 64)
    }
    let (early, late, all) = (try time("experts-pregated"), try time("experts-host"), try time("experts-all"))
    #expect(early < late)
    #expect(late < 0.1 * all)
  }

  // MARK: Stores of experts

  @Test func storesOfExpertsFollowTheirClosedForms() {
    let even = ExpertStore.popularity(experts: 64, routing: .uniform)
    for policy in [ExpertStore.Policy.spread, .lru, .frequency] {
      let rate = ExpertStore(popularity: even, policy: policy).hitRate(resident: 0.25, layer: 0, of: 10)
      #expect(near(rate, 0.25, within: 1e-6))
    }
    let skewed = ExpertStore.popularity(experts: 64, routing: .powerLaw(1.2))
    func rate(_ policy: ExpertStore.Policy) -> Double {
      ExpertStore(popularity: skewed, policy: policy).hitRate(resident: 0.25, layer: 0, of: 10)
    }
    // The most popular sixteen by hand, and nobody beats who knows the future.
    #expect(near(rate(.frequency), skewed.prefix(16).reduce(0, +)))
    #expect(rate(.lru) < rate(.frequency))
    #expect(rate(.belady) > rate(.frequency))
    let shallow = ExpertStore(popularity: even, policy: .shallowFirst)
    #expect((0..<10).map { shallow.hitRate(resident: 0.25, layer: $0, of: 10) } == [1, 1, 0.5, 0, 0, 0, 0, 0, 0, 0])
  }

  // MARK: Networks

  /// Three servers and a client are four trips of 50 ms against four of 2 ms: 0.192 s, and 16 KB or so at 100 Mb/s.
  @Test(arguments: [("llama-2-70b", "petals-t4", 80, 8192), ("bloom-176b", "petals-a100", 70, 14336)])
  func petalsPaysForItsTrips(model: String, system: String, layers: Int, hidden: Int) throws {
    func time(_ network: String) throws -> Double {
      let formats =
        model == "bloom-176b"
        ? FormatRequest(weights: .int8, activations: .fp16) : FormatRequest(weights: .int4Group128)
      let third = layers / 3
      let placed = try Placed.deployment(model, "\(system)-\(network)", "resident", formats: formats) {
        $0.client = "client-cpu"
        $0.stages = [
          Stage(at: "gpu.1", layers: third), Stage(at: "gpu.2", layers: third),
          Stage(at: "gpu.3", layers: layers - 2 * third),
        ]
      }
      return try self.time(placed, context: 128)
    }
    let added = try time("100m") - time("1g")
    let message = 4 * Double(hidden * 2) * (1 / 12.5e6 - 1 / 125e6)
    #expect(near(added, 4 * 0.048 + message, within: 0.001))
  }

  /// Cut into as many parts as stages, a batch keeps all of them at work.
  @Test func microBatchesFillAPipeline() throws {
    func time(_ parts: Int) throws -> Double {
      let placed = try Placed.deployment(
        "llama-2-70b", "petals-t4-1g", "resident", formats: FormatRequest(weights: .int4Group128)
      ) {
        $0.microBatches = parts
        $0.stages = [Stage(at: "gpu.1", layers: 27), Stage(at: "gpu.2", layers: 27), Stage(at: "gpu.3", layers: 26)]
      }
      let step = StepShape.prefill(sequences: 6, tokens: 256, spans: placed.graph.spans)
      return placed.price(step).time.value
    }
    let (whole, thirds) = (try time(1), try time(3))
    #expect(thirds < 0.75 * whole)
    #expect(thirds > whole / 3)
  }

  @Test func layersAreSearchedForUnequalMachines() throws {
    let placed = try Placed.deployment(
      "llama-3-8b", "home-cluster", runtime: "llama-cpp", formats: FormatRequest(weights: .q4Zero)
    ) {
      $0.memory = ["desktop-gpu": .size(Bytes(11.8e9)), "phone-soc": .size(Bytes(2e9))]
      $0.stages = [Stage(at: "phone-soc", layers: 0), Stage(at: "desktop-gpu", layers: 0)]
    }
    let stages = try #require(placed.placement).plan.stages
    // The GPU is quicker by far, so the phone gets nothing.
    #expect(stages == [Stage(at: "desktop-gpu", layers: 32)])
  }

  // MARK: Pools

  /// Two half batches that take turns overlap products with attention; one batch cannot.
  @Test func halfBatchesTakeTurnsOverAPool() throws {
    func time(_ parts: Int) throws -> Double {
      let placed = try Placed.deployment(
        "llama-65b", "lamina-h100-h20", "attention-pool", runtime: "vllm-v1", tensor: 2
      ) {
        $0.microBatches = parts
        $0.units = ["pool": 4]
      }
      return try self.time(placed, batch: 116, context: 1260)
    }
    let (one, two) = (try time(1), try time(2))
    #expect(two < one)
  }

  // MARK: The engine's prices

  @Test(arguments: [
    ("llama-3-8b", "gaming-pc", "kv-host"), ("llama-3-8b", "gaming-pc", "kv-host-heads"),
    ("opt-13b", "gaming-pc", "weights-host"),
    ("mixtral-8x7b", "gaming-pc", "experts-cpu"), ("mixtral-8x7b", "gaming-pc", "experts-host"),
    ("opt-13b", "a6000-workstation-csd", "attention-csd"), ("llama-3-8b", "gaming-pc", "attention-cpu"),
    ("opt-30b", "gaming-pc", "weights-kv-host"), ("llama-65b", "lamina-h100-h20", "attention-pool"),
  ])
  func quickPricesAreWithinAHundredthOfTheSchedule(model: String, hardware: String, plan: String) throws {
    let placed = try Placed.deployment(
      model, hardware, plan, runtime: "vllm-v1", tensor: plan == "attention-pool" ? 2 : 1)
    let placement = try #require(placed.placement)
    var random = RandomStream(seed: 5, name: "quick-prices")
    for _ in 0..<12 {
      var step = StepShape.decode(
        sequences: 1 + random.integer(below: 40), context: 50 + random.integer(below: 3000), spans: placed.graph.spans)
      if random.uniform() < 0.5 {
        step.addPrefill(
          sequences: 1, tokens: 1 + random.integer(below: 1500), start: random.integer(below: 500), last: true,
          spans: placed.graph.spans)
      }
      let (exact, quick) = (placement.price(step), placement.quickPrice(step))
      #expect(near(quick.time.value, exact.time.value, within: 0.01))
      #expect(near(quick.energy.value, exact.energy.value, within: 0.01))
      let table = try StepTable(placed)
      #expect(near(table.cost(step).time.value, exact.time.value, within: 0.01))
    }
  }
}
